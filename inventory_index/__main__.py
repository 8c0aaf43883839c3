"""`python -m inventory_index`."""

from kit import start

if __name__ == "__main__":
    start.run("inventory_index.command_line", serves=lambda arguments: list(arguments[:1]) in ([], ["serve"]))
