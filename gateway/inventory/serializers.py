"""Strict serializers of the inventory's requests."""

from datetime import UTC, date, datetime, timedelta
from typing import Any

from rest_framework import serializers

from gateway.http.fields import (
    StrictBooleanField,
    StrictCharField,
    StrictIntegerField,
    StrictRegexField,
    StrictSerializer,
)
from gateway.identity.models import TYPE_NAME, Role
from gateway.inventory.declarations import MAX_EMBEDDED, MAX_REFERENCES, POINTER
from gateway.search.query_string import QueryString, SearchParameters, StreamParameters

# An index that is made for a type has its alias's name with six digits.
_INDEX = r"^(?!.*-[0-9]{6}\Z)[a-z0-9][a-z0-9._-]{0,199}\Z"
_OWN = ("query-logs", "inventory-progress")
"""Beginnings of the names of indices that are not for documents."""


def _type_name(**options: Any) -> serializers.RegexField:
    return StrictRegexField(f"^{TYPE_NAME.pattern}\\Z", **options)


class TypeSerializer(StrictSerializer):
    """The declaration of a type."""

    schema = serializers.JSONField(help_text="JSON Schema (draft 2020-12) of its documents, without remote references.")
    index = StrictRegexField(_INDEX, help_text="Alias of its index in Elasticsearch.")
    key = StrictRegexField(
        f"^(?:{POINTER.pattern})\\Z",
        default=None,
        allow_null=True,
        help_text="JSON pointer to the member that is a document's id; without it, a new document gets a UUIDv7.",
    )
    public = StrictBooleanField(default=False, help_text="Let anybody read its documents, without credentials.")
    parent = _type_name(  # type: ignore[assignment]  # the metaclass takes it; Serializer.parent stays what it is
        default=None, allow_null=True, help_text="The type that its documents stand below."
    )
    embed = serializers.ListField(
        child=_type_name(),
        default=list,
        max_length=MAX_EMBEDDED,
        help_text="The types below it whose documents are indexed with its own.",
    )
    references = serializers.DictField(
        child=_type_name(), default=dict, help_text="Types by the JSON pointers to members that hold ids of theirs."
    )
    mapping = serializers.JSONField(
        default=None, allow_null=True, help_text="Elasticsearch mapping; made from the schema where it is null."
    )
    notify = serializers.ListField(
        child=serializers.ChoiceField(Role.choices),
        default=list,
        max_length=len(Role),
        help_text="Roles whose users are told of changes.",
    )
    accept_existing = StrictBooleanField(
        default=False, help_text="Let documents stay that the schema does not allow, until their next write."
    )

    def validate_index(self, index: str) -> str:
        """Refuse the gateway's own indices."""
        if index.startswith(_OWN):
            raise serializers.ValidationError(f"The names of indices of its own begin with {' and '.join(_OWN)}.")
        return index

    def validate_references(self, references: dict[str, str]) -> dict[str, str]:
        """Refuse keys that are no JSON pointers."""
        if len(references) > MAX_REFERENCES:
            raise serializers.ValidationError(f"There are at most {MAX_REFERENCES}.")
        for pointer in references:
            if not POINTER.fullmatch(pointer):
                raise serializers.ValidationError(f'"{pointer[:100]}" is no JSON pointer, such as "/service".')
        return references


class RestoreSerializer(StrictSerializer):
    """The version to restore."""

    version = StrictIntegerField(min_value=1, max_value=2**63 - 1, help_text="A version from the document's history.")


class ListParameters(SearchParameters):  # pylint: disable=too-many-ancestors  # most are the framework's
    """``SearchParameters`` of the documents of one type."""

    index = None  # type: ignore[assignment]  # as Django takes an inherited field away
    q = StrictCharField(source="query", default="", allow_blank=True, help_text="The query; everything without one.")


class ListStreamParameters(StreamParameters):  # pylint: disable=too-many-ancestors  # most are the framework's
    """``StreamParameters`` of the documents of one type."""

    index = None  # type: ignore[assignment]  # as above
    q = StrictCharField(source="query", default="", allow_blank=True, help_text="The query; everything without one.")


class FeedParameters(QueryString):
    """Place in the feed of changes, and how many are wanted."""

    since = StrictIntegerField(
        default=0, min_value=0, max_value=2**53 - 1, help_text="The number of the last change read."
    )
    size = StrictIntegerField(default=100, min_value=1, max_value=1000, help_text="Changes at most.")


MAX_REPORT_DAYS = 400
# No event is older or from a later day.
_FIRST_DAY, _LAST_DAY = date(2000, 1, 1), date(2999, 12, 31)


class ReadsParameters(QueryString):
    """Type and days of a report."""

    type = _type_name(help_text="The type.")
    to = serializers.DateField(
        default=lambda: datetime.now(UTC).date(), help_text="The last day (UTC), such as 2026-11-27; today without it."
    )
    group = serializers.ChoiceField(("day", "item"), default="day", help_text="By day, or by document.")
    size = StrictIntegerField(default=100, min_value=1, max_value=1000, help_text="Documents at most, the most read.")

    def get_fields(self) -> dict[str, Any]:
        """Add the field whose name is a word of Python's."""
        first = serializers.DateField(
            required=False, help_text="The first day (UTC); 30 days before the last one without it."
        )
        return super().get_fields() | {"from": first}

    def validate(self, attrs: dict[str, Any]) -> dict[str, Any]:
        """Refuse days in the wrong order, and too many."""
        last = attrs["to"]
        if not _FIRST_DAY <= last <= _LAST_DAY:
            raise serializers.ValidationError({"to": f"Send a day from {_FIRST_DAY} to {_LAST_DAY}."})
        first = attrs.setdefault("from", last - timedelta(days=30))
        if first > last:
            raise serializers.ValidationError({"from": "The first day comes after the last one."})
        if (last - first).days >= MAX_REPORT_DAYS:
            raise serializers.ValidationError({"from": f"A report has at most {MAX_REPORT_DAYS} days."})
        return attrs
