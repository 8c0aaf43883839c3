"""Requests in a query string: strict, as a body is."""

import re
from typing import Any
from urllib.parse import parse_qsl

from rest_framework.request import Request

from gateway.problems import malformed
from gateway.serializers import (
    MAX_NAMES,
    FieldNames,
    SearchSerializer,
    StreamSerializer,
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictSerializer,
)

_MAX_PARAMETERS = 20
_INTEGER = re.compile("[0-9]{1,9}")


def read_parameters(request: Request) -> dict[str, str]:
    """Read the query string, as HTML forms write it.

    Raises:
        Problem: 400, a parameter is given twice or is not in UTF-8, or there are too many.
    """
    # A character a byte, as WSGI has it: Django would put another in the place of what is not UTF-8.
    query_string, characters = request.META["QUERY_STRING"], "latin-1"
    try:
        pairs = parse_qsl(query_string, keep_blank_values=True, encoding=characters, max_num_fields=_MAX_PARAMETERS)
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


class _FromQueryString(StrictSerializer):
    """The query is ``q``; numbers and booleans are written as in JSON, lists with commas."""

    q = StrictCharField(source="query", allow_blank=True, help_text="The query; empty is everything.")

    def to_internal_value(self, data: Any) -> Any:
        """Read each value by the type of its field; what is none of it stays text, which is then refused."""
        return super().to_internal_value({name: self._value(name, text) for name, text in data.items()})

    def _value(self, name: str, text: str) -> Any:
        field = self.fields.get(name)
        if isinstance(field, FieldNames):
            # One more than there may be tells that there are too many.
            return text.split(",", MAX_NAMES)
        if isinstance(field, StrictIntegerField) and _INTEGER.fullmatch(text):
            return int(text)
        if isinstance(field, StrictBooleanField) and text in ("true", "false"):
            return text == "true"
        return text


class StreamParameters(_FromQueryString, StreamSerializer):  # pylint: disable=too-many-ancestors  # most are the framework's
    """``StreamSerializer`` in a query string."""

    query = None  # type: ignore[assignment]  # as Django takes an inherited field away


class SearchParameters(_FromQueryString, SearchSerializer):  # pylint: disable=too-many-ancestors  # most are the framework's
    """``SearchSerializer`` in a query string."""

    query = None  # type: ignore[assignment]  # as Django takes an inherited field away
