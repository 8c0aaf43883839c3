"""Strict serializers of requests: a number in quotes is invalid, and an unknown member is an error."""

from typing import Any

from rest_framework import serializers

from gateway.http.fields import StrictBooleanField, StrictCharField, StrictIntegerField, StrictSerializer
from gateway.search.elasticsearch import MAX_RESULT_WINDOW

MAX_SIZE = 1000
MAX_QUERY_CHARACTERS = 65_536
"""The translator's limit; a longer text has no completion. A search leaves the verdict to the translator."""
MAX_NAMES = 100
MAX_CURSOR_CHARACTERS = 4_096
START = "start"
"""The cursor that opens a snapshot."""
MAX_NAME_CHARACTERS = 512


class ShortList(serializers.ListField):
    """A list of at most ``MAX_NAMES``, whose members are looked at only if it is."""

    def to_internal_value(self, data: Any) -> Any:
        """Refuse a longer list."""
        if isinstance(data, list) and len(data) > MAX_NAMES:
            self.fail("max_length", max_length=MAX_NAMES)
        return super().to_internal_value(data)


class FieldNames(ShortList):
    """A list of field names."""

    def __init__(self, **options: Any) -> None:
        name = StrictCharField(max_length=MAX_NAME_CHARACTERS)
        super().__init__(child=name, max_length=MAX_NAMES, **options)


def _index() -> StrictCharField:
    return StrictCharField(
        required=False,
        max_length=255,
        help_text="One of the indices that you may search; the first of them by default.",
    )


class FieldsSerializer(StrictSerializer):
    """The index whose fields are wanted."""

    index = _index()


class TranslateSerializer(StrictSerializer):
    """Query to translate, and the index by whose mapping."""

    query = StrictCharField(allow_blank=True, help_text='The query; "" is everything.')
    index = _index()
    case_insensitive = StrictBooleanField(default=False, help_text="Compare strings without regard to letter case.")


class CompleteSerializer(StrictSerializer):
    """A query that is being typed, and where its cursor is."""

    query = StrictCharField(
        allow_blank=True, max_length=MAX_QUERY_CHARACTERS, help_text="The query as far as it has been typed."
    )
    cursor = StrictIntegerField(min_value=0, help_text="Where the cursor is, in characters (code points) from 0.")
    index = _index()

    def validate(self, attrs: Any) -> Any:
        """Refuse a cursor outside the query."""
        if attrs["cursor"] > len(attrs["query"]):
            message = f"The cursor is behind the end of the query, which has {len(attrs['query'])} characters."
            raise serializers.ValidationError({"cursor": message})
        return attrs


class StreamSerializer(TranslateSerializer):
    """Query, index, order, and the members to return of each document."""

    sort = FieldNames(default=tuple, help_text='Fields with doc values; "-" before a name for descending order.')
    fields = FieldNames(  # type: ignore[assignment]  # the metaclass takes it; Serializer.fields stays what it is
        default=None, allow_null=True, allow_empty=False, help_text="Members of a document to return; null for all."
    )


class SearchSerializer(StreamSerializer):
    """A search: a stream's members, and the page to return."""

    size = StrictIntegerField(default=50, min_value=0, max_value=MAX_SIZE, help_text="Documents on a page.")
    page = StrictIntegerField(default=1, min_value=1, help_text=f"Pages reach {MAX_RESULT_WINDOW:,} results.")
    cursor = StrictCharField(
        default=None,
        allow_null=True,
        max_length=MAX_CURSOR_CHARACTERS,
        help_text='"start" opens a snapshot to read to any depth; then "next" of the page before.',
    )
    explain = StrictBooleanField(default=False, help_text="Return the Elasticsearch query as well.")
    ids = StrictBooleanField(default=False, help_text="Return the ids of the documents as well.")

    def validate(self, attrs: Any) -> Any:
        """Refuse pages beyond what Elasticsearch reaches without a cursor, and both at once."""
        if attrs["cursor"] is not None and attrs["page"] != 1:
            raise serializers.ValidationError({"page": "A cursor goes from page to page by itself; leave it out."})
        if attrs["cursor"] is not None and attrs["size"] == 0:
            raise serializers.ValidationError({"size": "A cursor reads at least one document a page."})
        if attrs["page"] * attrs["size"] > MAX_RESULT_WINDOW:
            message = f"Pages reach {MAX_RESULT_WINDOW:,} results (page × size); to read on takes a cursor."
            raise serializers.ValidationError({"page": message})
        return attrs


def unchecked_query(body: Any) -> str | None:
    """The query in a body that is not checked yet: the trail has it even if something else in the body is wrong."""
    query = body.get("query") if isinstance(body, dict) else None
    return query if isinstance(query, str) else None
