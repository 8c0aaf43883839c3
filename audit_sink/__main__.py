"""`python -m audit_sink`."""

from kit import start

if __name__ == "__main__":
    start.run("audit_sink.command_line", serves=lambda arguments: list(arguments[:1]) in ([], ["serve"]))
