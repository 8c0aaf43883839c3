"""Strict serializers of requests about notifications."""

from typing import Any

from rest_framework import serializers

from gateway.http.fields import StrictBooleanField, StrictCharField, StrictIntegerField, StrictSerializer
from gateway.identity.models import TYPE_NAME
from gateway.inventory.declarations import POINTER
from gateway.notify.models import MAX_URL_CHARACTERS, State
from gateway.notify.webhooks import check_address
from gateway.search.query_string import QueryString

MAX_MEMBERS = 20
MAX_PAGE = 100
_MAX_NUMBER = 2**53 - 1


class SubscriptionSerializer(StrictSerializer):
    """Changes that the caller is told of, and the channels besides the inbox."""

    type = StrictCharField(max_length=128, help_text="The type whose changes are told.")
    members = serializers.ListField(
        child=StrictCharField(max_length=255),
        default=list,
        max_length=MAX_MEMBERS,
        help_text="JSON pointers: only changes of these members, or of what is below them, are told; none is all.",
    )
    email = StrictBooleanField(default=False, help_text="Send a mail too, to the address that you have confirmed.")
    webhook = StrictCharField(
        default=None,
        allow_null=True,
        max_length=MAX_URL_CHARACTERS,
        help_text="Send a signed POST too, to this https address (Standard Webhooks).",
    )

    def validate_type(self, name: str) -> str:
        """Refuse what is no name of a type."""
        if not TYPE_NAME.fullmatch(name):
            raise serializers.ValidationError("This is no name of a type; GET /inventory-types has all.")
        return name

    def validate_members(self, members: list[str]) -> list[str]:
        """Refuse what are no JSON pointers; each is kept once."""
        for pointer in members:
            if not POINTER.fullmatch(pointer):
                raise serializers.ValidationError(f'"{pointer[:100]}" is no JSON pointer, such as "/price".')
        return list(dict.fromkeys(members))

    def validate_webhook(self, address: str | None) -> str | None:
        """Refuse an address that no webhook is sent to."""
        wrong = None if address is None else check_address(address)
        if wrong is not None:
            raise serializers.ValidationError(wrong)
        return address


class ReadSerializer(StrictSerializer):
    """Notifications that the caller has read: up to a number, or these."""

    up_to = StrictIntegerField(
        required=False, min_value=0, max_value=_MAX_NUMBER, help_text="All up to this number, which is read too."
    )
    numbers = serializers.ListField(
        required=False,
        child=StrictIntegerField(min_value=1, max_value=_MAX_NUMBER),
        max_length=MAX_PAGE,
        help_text="These alone.",
    )

    def validate(self, attrs: Any) -> Any:
        """Refuse anything but one of the two."""
        if len(attrs) != 1:
            raise serializers.ValidationError("Send up_to or numbers.")
        return attrs


class InboxParameters(QueryString):
    """Place in the inbox, and how many are wanted."""

    after = StrictIntegerField(
        default=0, min_value=0, max_value=_MAX_NUMBER, help_text="The number after which the page begins."
    )
    size = StrictIntegerField(default=50, min_value=1, max_value=MAX_PAGE, help_text="Notifications at most.")


class DeliveryParameters(QueryString):
    """Choice of deliveries."""

    state = serializers.ChoiceField(State.choices, required=False, help_text="Only those in this state.")
    after = serializers.UUIDField(required=False, help_text="The id after which the page begins.")
    size = StrictIntegerField(default=50, min_value=1, max_value=MAX_PAGE, help_text="Deliveries at most.")
