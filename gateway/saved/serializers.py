"""Strict serializers of requests about saved searches and collections."""

import unicodedata
from typing import Any

from rest_framework import serializers

from gateway.http.fields import StrictBooleanField, StrictCharField, StrictIntegerField, StrictSerializer
from gateway.saved.models import MAX_TITLE_CHARACTERS, ShareRole, Visibility
from gateway.search.query_string import QueryString
from gateway.search.serializers import MAX_QUERY_CHARACTERS, FieldNames

MAX_BODY_BYTES = 512 * 1024
"""A query of as many characters as there may be, each written in six bytes, and what stands beside it."""
MAX_DESCRIPTION_CHARACTERS = 2_000
MAX_USERS = 50
MAX_PAGE = 100
MIN_INTERVAL = 60
MAX_INTERVAL = 24 * 3600
DEFAULT_INTERVAL = 300
_NAMED_ROLES = [ShareRole.VIEWER.value, ShareRole.EDITOR.value]


class ShareSerializer(StrictSerializer):
    """A user with whom it is shared."""

    user = StrictCharField(max_length=150, help_text="The user's name.")
    role = serializers.ChoiceField(
        choices=_NAMED_ROLES, default=ShareRole.VIEWER.value, help_text="`editor` may change it, `viewer` read it."
    )


class _Users(serializers.ListField):
    def to_internal_value(self, data: Any) -> Any:
        """Refuse a list that is too long before its members are looked at, and users who are named twice."""
        if isinstance(data, list) and len(data) > MAX_USERS:
            self.fail("max_length", max_length=MAX_USERS)
        named = super().to_internal_value(data)
        # A patch has no member that must be there, nor defaults, not even in its lists.
        if any("user" not in each for each in named):
            raise serializers.ValidationError("Each has a user, by name.")
        users = {each["user"]: {"role": ShareRole.VIEWER.value, **each} for each in named}
        if len(users) < len(data):
            raise serializers.ValidationError("A user is named twice.")
        return [users[name] for name in sorted(users)]


class CollectionMembersSerializer(StrictSerializer):
    """A collection of saved searches; they are put into it one by one."""

    title = StrictCharField(max_length=MAX_TITLE_CHARACTERS, help_text="One line.")
    description = StrictCharField(default="", allow_blank=True, max_length=MAX_DESCRIPTION_CHARACTERS)
    visibility = serializers.ChoiceField(
        choices=Visibility.choices,
        default=Visibility.ME.value,
        help_text="Who sees it: its owner (`me`), the `users` that are named too, or `everyone` who may log in.",
    )
    users = _Users(
        child=ShareSerializer(),
        default=list,
        max_length=MAX_USERS,
        help_text="Those with whom it is shared by name. What they may search does not change.",
    )

    def validate_title(self, title: str) -> str:
        """Refuse control characters, such as line breaks, and titles of spaces alone."""
        if not title.strip() or any(unicodedata.category(character) == "Cc" for character in title):
            raise serializers.ValidationError("A title is one line, and not empty.")
        return title


class SearchMembersSerializer(CollectionMembersSerializer):
    """A saved search."""

    query = StrictCharField(allow_blank=True, max_length=MAX_QUERY_CHARACTERS, help_text='The query; "" is everything.')
    index = StrictCharField(
        default=None, allow_null=True, max_length=255, help_text="The index; null for the first that its reader has."
    )
    columns = FieldNames(default=None, allow_null=True, allow_empty=False, help_text="Columns; null for the usual.")
    sort = FieldNames(default=list, help_text='Fields with doc values; "-" before a name for descending order.')


class _Patch(StrictSerializer):
    """Members to change; the others stay."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options, partial=True)


class CollectionPatchSerializer(_Patch, CollectionMembersSerializer):
    """Members of a collection to change; the others stay."""


class SearchPatchSerializer(_Patch, SearchMembersSerializer):
    """Members of a saved search to change; the others stay."""


class PlaceSerializer(StrictSerializer):
    """Place of a search in a collection."""

    before = serializers.UUIDField(
        default=None, allow_null=True, help_text="The search before which it is put; null for the end."
    )


class WatchSerializer(StrictSerializer):
    """Watch of a search."""

    interval = StrictIntegerField(
        default=DEFAULT_INTERVAL, min_value=MIN_INTERVAL, max_value=MAX_INTERVAL, help_text="Seconds between two looks."
    )


class ListParameters(QueryString):
    """Choice of searches or collections."""

    orphaned = StrictBooleanField(
        default=False, help_text="For administrators: those that users who were deleted had shared, instead."
    )
    mine = StrictBooleanField(default=False, help_text="Your own alone, without those that are shared with you.")
    before = serializers.UUIDField(required=False, help_text="`next` of the page before.")
    size = StrictIntegerField(default=50, min_value=1, max_value=MAX_PAGE, help_text="How many at most.")

    def validate(self, attrs: Any) -> Any:
        """Refuse both lists at once."""
        if attrs["mine"] and attrs["orphaned"]:
            raise serializers.ValidationError("What is yours has an owner: leave mine or orphaned out.")
        return attrs
