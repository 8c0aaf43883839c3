"""Arguments of commands that erase a person: a user's name, and a reason."""

from argparse import ArgumentTypeError
from unicodedata import normalize

_MAX_REASON = 1_000


def user_name(text: str) -> str:
    """Read a user's name, as the gateway keeps it (by Django's ``normalize_username``).

    Raises:
        argparse.ArgumentTypeError: it is empty, or was not UTF-8.
    """
    name = normalize("NFKC", text)
    if not name or not _is_utf8(name):
        raise ArgumentTypeError("must be a user's name, in UTF-8")
    return name


def reason(text: str) -> str:
    """Read a reason.

    Raises:
        argparse.ArgumentTypeError: it is empty or too long, or was not UTF-8.
    """
    if not _is_utf8(text) or not 1 <= len(text.encode()) <= _MAX_REASON:
        raise ArgumentTypeError(f"must have 1 to {_MAX_REASON:,} bytes of UTF-8")
    return text


def _is_utf8(argument: str) -> bool:
    """Whether an argument's bytes were UTF-8; the interpreter has half characters in the place of others."""
    return argument.isascii() or not any("\ud800" <= character <= "\udfff" for character in argument)
