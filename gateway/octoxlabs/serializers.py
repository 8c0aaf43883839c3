"""Serializers of the vendor's client's requests."""

from typing import Any, ClassVar

from rest_framework import serializers

from gateway.http.fields import StrictBooleanField, StrictCharField, StrictIntegerField, StrictSerializer
from gateway.search.elasticsearch import MAX_RESULT_WINDOW
from gateway.search.serializers import (
    MAX_CURSOR_CHARACTERS,
    MAX_NAME_CHARACTERS,
    MAX_NAMES,
    MAX_SIZE,
    FieldNames,
    ShortList,
)


class TokenSerializer(StrictSerializer):
    """Credentials of the client."""

    token = StrictCharField(max_length=MAX_NAME_CHARACTERS, help_text="An API key.")


class OrderingSerializer(StrictSerializer):
    """A field to sort by, and in which direction."""

    default_error_messages: ClassVar = {"invalid": "An ordering is an object with a field, and perhaps an order."}

    field = StrictCharField(max_length=MAX_NAME_CHARACTERS, help_text="A field with doc values.")
    order = serializers.ChoiceField(("asc", "desc"), default="asc")

    def validate_field(self, field: str) -> str:
        """Refuse a sign, which would be read as a direction."""
        if field.startswith("-"):
            raise serializers.ValidationError('Write the name without a sign, and "order": "desc".')
        return field


class DeviceSerializer(StrictSerializer):
    """The discovery in which a device is looked up."""

    index_id = StrictIntegerField(
        default=None, allow_null=True, help_text="The id of a discovery: 1, or null, which means it too."
    )


class DevicesSerializer(DeviceSerializer):
    """Search for devices, and the part of the answer to return."""

    query = StrictCharField(default="", allow_blank=True, help_text='The query; "" is everything.')
    fields = FieldNames(  # type: ignore[assignment]  # the metaclass takes it; Serializer.fields stays what it is
        default=None, allow_null=True, help_text="Members of a device to return; null, or none, for all."
    )
    size = StrictIntegerField(default=50, min_value=0, max_value=MAX_SIZE, help_text="Devices in an answer.")
    page = StrictIntegerField(default=1, min_value=1, help_text=f"Pages reach {MAX_RESULT_WINDOW:,} results.")
    ordering = ShortList(child=OrderingSerializer(), default=list, max_length=MAX_NAMES)
    scrollable = StrictBooleanField(default=False, help_text="Read on to any depth by scroll_id, without pages.")
    scroll_id = StrictCharField(
        default=None,
        allow_null=True,
        max_length=MAX_CURSOR_CHARACTERS,
        help_text="From the answer before; null for the first.",
    )

    def validate(self, attrs: Any) -> Any:
        """Refuse pages beyond what Elasticsearch reaches, and pages of a scroll."""
        if attrs["scrollable"] and attrs["page"] != 1:
            raise serializers.ValidationError({"page": "A scroll has no pages; send the scroll_id of its last answer."})
        if attrs["scrollable"] and attrs["size"] == 0:
            raise serializers.ValidationError({"size": "A scroll reads at least one device an answer."})
        if not attrs["scrollable"] and attrs["scroll_id"] is not None:
            raise serializers.ValidationError({"scroll_id": 'It goes with "scrollable": true.'})
        if attrs["page"] * attrs["size"] > MAX_RESULT_WINDOW:
            message = (
                f"Pages reach {MAX_RESULT_WINDOW:,} results (page × size); to read on, scroll: "
                '"scrollable": true, then the scroll_id of each answer (search_scroll_devices in the octoxlabs client).'
            )
            raise serializers.ValidationError({"page": message})
        return attrs
