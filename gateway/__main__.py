"""``python -m gateway`` serves, ``python -m gateway worker`` does what runs behind requests; ``python -m gateway COMMAND`` runs a command (``migrate``, ``user``, ``search``…)."""

from kit import start

if __name__ == "__main__":
    start.run("gateway.serving.command_line", serves=lambda arguments: not arguments or arguments[0] == "worker")
