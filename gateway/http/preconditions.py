"""ETags in the headers of a request's preconditions (RFC 9110, section 13)."""

import re
from dataclasses import dataclass
from http import HTTPStatus

from rest_framework.request import Request

from gateway.http.problems import Code, Problem, malformed

_ETAGS = re.compile(r'\s*(?:W/)?"[\x21\x23-\x7e]*"\s*(?:,\s*(?:W/)?"[\x21\x23-\x7e]*"\s*)*')
_ETAG = re.compile(r'(W/)?"([^"]*)"')
_MAX_CHARACTERS = 1_000


@dataclass(frozen=True, slots=True)
class ETags:
    """ETags of a header, without their quotes; ``any`` is ``*``, ``strong`` those that are not weak."""

    any: bool
    strong: frozenset[str]
    all: frozenset[str]

    def match_strongly(self, tag: str) -> bool:
        """Whether the ETag of what there is, without its quotes, is among them and not weak."""
        return self.any or tag in self.strong


def read_etags(request: Request, name: str) -> ETags | None:
    """Read a header, If-Match or If-None-Match.

    Raises:
        Problem: 400, it is no list of ETags.
    """
    header = request.headers.get(name)
    if header is None:
        return None
    if header.strip() == "*":
        return ETags(any=True, strong=frozenset(), all=frozenset())
    if len(header) > _MAX_CHARACTERS or not _ETAGS.fullmatch(header):
        raise malformed(f'{name}: Send * or ETags in double quotes, such as "7".')
    found = _ETAG.findall(header)
    return ETags(
        any=False, strong=frozenset(tag for weak, tag in found if not weak), all=frozenset(tag for _, tag in found)
    )


def require_match(request: Request, current: str) -> None:
    """Let nobody change what they have not read as it is now.

    Args:
        request: with If-Match.
        current: the ETag of the version that there is.

    Raises:
        Problem: 400, 412, 428.
    """
    tags = read_etags(request, "If-Match")
    if tags is None:
        raise Problem(
            HTTPStatus.PRECONDITION_REQUIRED,
            Code.PRECONDITION_REQUIRED,
            "To change this, send If-Match with the ETag of the version that you have read.",
        )
    if not tags.match_strongly(current.strip('"')):
        raise Problem(
            HTTPStatus.PRECONDITION_FAILED,
            Code.PRECONDITION_FAILED,
            "This has been changed since you have read it; read it again, and send its ETag.",
            headers={"ETag": current},
        )
