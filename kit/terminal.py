"""Output of a command: foreign bytes, which a terminal must show and not obey, and a standard output that is lost."""

import os
import sys

_LINE_BYTES = 32


def printable(text: str) -> str:
    """Escape the characters of a text that are not printable: controls, line ends, bidirectional marks."""
    return "".join(each if each.isprintable() else each.encode("unicode_escape").decode("ascii") for each in text)


def dump(content: bytes) -> str:
    """Bytes as text if they are UTF-8, else in hexadecimal digits, 32 bytes a line."""
    try:
        return printable(content.decode("utf-8"))
    except UnicodeDecodeError:
        lines = (content[at : at + _LINE_BYTES] for at in range(0, len(content), _LINE_BYTES))
        return "\n".join(line.hex(" ") for line in lines)


def give_up_output(program: str, error: OSError) -> None:
    """Say that standard output cannot be written, unless its reader has only left (``| head``); drop what is left.

    It could not be written either when the interpreter ends.
    """
    os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    if not isinstance(error, BrokenPipeError):
        print(f"{program}: standard output: {error.strerror}", file=sys.stderr)
