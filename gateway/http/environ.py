"""Headers of an ASGI request as WSGI has them (PEP 3333)."""

from collections.abc import Iterable


def header_variables(headers: Iterable[tuple[bytes, bytes]]) -> dict[str, str]:
    """The variables of the headers; several of one name are joined with commas (RFC 9110, section 5.3)."""
    variables: dict[str, str] = {}
    for name, value in headers:
        # In the environment, X_Forwarded_For would pass for X-Forwarded-For.
        if b"_" not in name:
            key = name.decode("latin-1").upper().replace("-", "_")
            if key not in ("CONTENT_TYPE", "CONTENT_LENGTH"):
                key = f"HTTP_{key}"
            text = value.decode("latin-1")
            variables[key] = f"{variables[key]},{text}" if key in variables else text
    return variables
