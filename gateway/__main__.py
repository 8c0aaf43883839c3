"""Entry point: ``python -m gateway`` serves, ``worker`` and ``live`` too, beside it; all others are commands."""

from kit import start

if __name__ == "__main__":
    start.run(
        "gateway.serving.command_line", serves=lambda arguments: not arguments or arguments[0] in ("worker", "live")
    )
