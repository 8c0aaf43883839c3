"""Fields and serializers that check requests strictly: a number in quotes is refused, as is an unknown member."""

from functools import cache
from typing import Any, ClassVar
from uuid import UUID

from rest_framework import serializers


class _Text(serializers.CharField):
    def to_internal_value(self, data: Any) -> str:
        """Refuse whatever is not a string."""
        if not isinstance(data, str):
            self.fail("invalid")
        return data


class StrictCharField(_Text):
    """Text that was sent as text, and is kept as it is."""

    def __init__(self, **options: Any) -> None:
        super().__init__(trim_whitespace=False, **options)


class StrictRegexField(_Text, serializers.RegexField):
    """Text of a pattern that was sent as text."""


class StrictIntegerField(serializers.IntegerField):
    """A whole number that was sent as a number."""

    def to_internal_value(self, data: Any) -> int:
        """Refuse strings, fractions and booleans."""
        if not isinstance(data, int) or isinstance(data, bool):
            self.fail("invalid")
        return data


class StrictBooleanField(serializers.BooleanField):
    """true or false, sent as such."""

    def to_internal_value(self, data: Any) -> bool:
        """Refuse everything that merely looks like a boolean."""
        if not isinstance(data, bool):
            self.fail("invalid", input=data)
        return data


class StrictSerializer(serializers.Serializer[Any]):
    """An object with the members that the contract has, and no others."""

    default_error_messages: ClassVar = dict.fromkeys(("invalid", "null"), "The body must be a JSON object.")

    def to_internal_value(self, data: Any) -> Any:
        """Refuse members that the contract does not have."""
        if isinstance(data, dict):
            known = [str(field.field_name) for field in self._writable_fields]
            unknown = [name for name in data if name not in known]
            if unknown:
                message = f"There is no such member; there are {', '.join(known)}."
                raise serializers.ValidationError({unknown[0][:100]: message})
        return super().to_internal_value(data)


def checked(serializer: type[StrictSerializer], data: Any) -> dict[str, Any]:
    """Read a request.

    Args:
        serializer: describes the request.
        data: the request as it came.

    Raises:
        ValidationError: the request breaks the contract; names the member.
    """
    read: dict[str, Any] = _reader(serializer).run_validation(data)
    return read


@cache
def _reader(serializer: type[StrictSerializer]) -> StrictSerializer:
    """One instance for all requests: copying its fields takes longer than checking them, which changes nothing."""
    return serializer()


def read_uuid(text: str) -> UUID:
    """Read an id in a path; an invalid one is the nil UUID (RFC 9562, section 5.9), which no row has."""
    try:
        return UUID(text)
    except ValueError:
        return UUID(int=0)
