"""How the console's files are cached."""

import re

_HASHED = re.compile(r"/console/assets/[^/]+-[\w-]{8,}\.\w+\Z")


def is_immutable(_path: str, url: str) -> bool:
    """Whether a static file never changes, because its name has its content's hash (WHITENOISE_IMMUTABLE_FILE_TEST)."""
    return _HASHED.search(url) is not None
