"""`python -m lake`."""

from kit import start

if __name__ == "__main__":
    start.run("lake.command_line", serves=lambda arguments: list(arguments[:1]) in ([], ["serve"]))
