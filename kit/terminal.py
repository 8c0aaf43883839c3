"""Foreign bytes for a terminal, which must show them and not obey them."""

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
