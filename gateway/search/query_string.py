"""Requests in a query string: strict, as a body is."""

import re
from typing import Any

from gateway.http.fields import StrictBooleanField, StrictCharField, StrictIntegerField, StrictSerializer
from gateway.search.serializers import MAX_NAMES, FieldNames, SearchSerializer, StreamSerializer

# As many digits as 2⁵³ has: no number of the API is greater.
_INTEGER = re.compile("[0-9]{1,16}")


class QueryString(StrictSerializer):
    """Parameters: numbers and booleans are written as in JSON, lists with commas."""

    def to_internal_value(self, data: Any) -> Any:
        """Read each value by the type of its field; an invalid one stays text, which is then refused."""
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


class FromQueryString(QueryString):
    """A search, whose query is ``q``."""

    q = StrictCharField(source="query", allow_blank=True, help_text="The query; empty is everything.")


class StreamParameters(FromQueryString, StreamSerializer):  # pylint: disable=too-many-ancestors  # most are the framework's
    """``StreamSerializer`` in a query string."""

    query = None  # type: ignore[assignment]  # as Django takes an inherited field away


class SearchParameters(FromQueryString, SearchSerializer):  # pylint: disable=too-many-ancestors  # most are the framework's
    """``SearchSerializer`` in a query string."""

    query = None  # type: ignore[assignment]  # as Django takes an inherited field away
