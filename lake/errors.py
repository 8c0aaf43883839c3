"""Error that ends a command of the lake."""


class LakeError(Exception):
    """A command cannot do its work; the message is one line that says what is wrong and what to do."""
