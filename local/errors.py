"""Errors of the embedded stack."""


class StackError(Exception):
    """The stack cannot start or go on; the message is one line: what is wrong, and what to do about it."""
