"""`python -m translator`."""

from kit import start

if __name__ == "__main__":
    start.run("translator.command_line", serves=lambda arguments: list(arguments[:1]) == ["serve"])
