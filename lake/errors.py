"""Error that ends a command of the lake, and errors of other libraries as one line."""

import re

_COLOUR = re.compile(r"\x1b\[[0-9;]*m|↳")
_STACK = re.compile(r"\s+0: <unknown>.*", re.DOTALL)


class LakeError(Exception):
    """A command cannot do its work; the message is one line that says what is wrong and what to do."""


def one_line(error: BaseException | str) -> str:
    """An error's text on one line; delta-rs writes trees of causes, in colours, and stacks without names."""
    return " ".join(_STACK.sub("", _COLOUR.sub("", str(error))).split())
