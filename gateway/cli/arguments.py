"""Arguments that the commands share: who asks, and which gateway."""

from argparse import ArgumentParser, ArgumentTypeError

from pydantic import TypeAdapter, ValidationError

from kit.settings import HttpUrl


def add_caller(parser: ArgumentParser) -> None:
    """Take the user and the gateway's address."""
    parser.add_argument(
        "--user",
        type=text,
        help="ask as this known user, where the gateway takes unsigned tokens; otherwise GATEWAY_TOKEN or "
        "GATEWAY_API_KEY, or the file that either of them names with _FILE behind it, says who asks",
    )
    parser.add_argument("--url", type=_url, default="http://127.0.0.1:8000", help="the gateway's address")


def text(argument: str) -> str:
    """Read an argument that is sent on, and so must be UTF-8."""
    try:
        argument.encode()
    except UnicodeEncodeError:
        raise ArgumentTypeError("is not UTF-8") from None
    return argument


def _url(argument: str) -> str:
    try:
        return TypeAdapter(HttpUrl).validate_python(text(argument))
    except ValidationError:
        raise ArgumentTypeError("must be a URL such as http://127.0.0.1:8000") from None
