"""Query strings read strictly, as a body is."""

from urllib.parse import parse_qsl

from rest_framework.request import Request

from gateway.http.problems import malformed

_MAX_PARAMETERS = 20


def read_parameters(request: Request) -> dict[str, str]:
    """Read the query string, as HTML forms write it.

    Raises:
        Problem: 400, a parameter is given twice or is not in UTF-8, or there are too many.
    """
    return read_form(request.META["QUERY_STRING"])


def read_form(form: str) -> dict[str, str]:
    """Read what HTML forms write.

    Args:
        form: a character a byte, as WSGI has it: Django would put another in the place of what is not UTF-8.

    Raises:
        Problem: as ``read_parameters`` does.
    """
    characters = "latin-1"
    try:
        pairs = parse_qsl(form, keep_blank_values=True, encoding=characters, max_num_fields=_MAX_PARAMETERS)
    except ValueError:
        raise malformed(f"There are more than {_MAX_PARAMETERS} parameters.") from None
    try:
        decoded = [(name.encode(characters).decode(), value.encode(characters).decode()) for name, value in pairs]
    except UnicodeDecodeError:
        raise malformed("The parameters are not in UTF-8.") from None
    parameters: dict[str, str] = {}
    for name, value in decoded:
        if name in parameters:
            raise malformed(f"{name[:100]}: The parameter is given twice.")
        parameters[name] = value
    return parameters
