"""Frames of the two sockets: JSON objects with ``v``, the version, and ``type``.

From the client ``since`` and ``ack`` on the socket of notifications, ``tail`` and ``more`` on that of the tail. What
has another form is refused: a socket is no place to guess what was meant.
"""

# pylint: disable=too-few-public-methods  # types that only carry data, as dataclasses do

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from dataclasses import field as dataclass_field
from enum import StrEnum
from typing import Annotated, Literal, TypeVar

import msgspec
import orjson
from msgspec import Meta, Struct, field

MAX_CLIENT_BYTES = 4096
MAX_UNACKNOWLEDGED = 4
"""Frames of a tail that are under way at most."""

_Frame = TypeVar("_Frame")
_Number = Annotated[int, Meta(ge=0, le=2**53 - 1)]
_Text = Annotated[str, Meta(min_length=1, max_length=200)]
_Partition = Annotated[int, Meta(ge=0, le=9_999)]


class InvalidFrame(Exception):
    """A frame of another form; the message says where, and quotes nothing."""


class Since(Struct, tag_field="type", tag="since", forbid_unknown_fields=True, frozen=True):
    """Wish for the notifications after a number, now and as they come."""

    v: Literal[1]
    id: _Number


class Ack(Struct, tag_field="type", tag="ack", forbid_unknown_fields=True, frozen=True):
    """Receipt of the notifications up to a number."""

    v: Literal[1]
    id: _Number


class Filter(Struct, forbid_unknown_fields=True, frozen=True):
    """Events that a tail shows: all that these members ask for."""

    user: _Text | None = None
    event_type: _Text | None = None
    text: _Text | None = None
    """Somewhere in the query, in any letter case."""

    def query(self) -> str:
        """The same in the query language, as the audit trail has it and as it can be searched for."""
        parts = {"user.name =": self.user, "event.action =": self.event_type, "sluice.query ~": self.text}
        return " AND ".join(f"{name} {_quoted(value)}" for name, value in parts.items() if value is not None)


class OpenTail(Struct, tag_field="type", tag="tail", forbid_unknown_fields=True, frozen=True, rename={"begin": "from"}):
    """Wish for the tail of the audit trail: from offsets by partition, or from now on."""

    v: Literal[1]
    filter: Filter = Filter()
    begin: Annotated[dict[_Partition, _Number], Meta(max_length=100)] = field(default_factory=dict)


class More(Struct, tag_field="type", tag="more", forbid_unknown_fields=True, frozen=True):
    """Receipt of so many frames of the tail; zero is a pause, until the next receipt."""

    v: Literal[1]
    frames: Annotated[int, Meta(ge=0, le=MAX_UNACKNOWLEDGED)]


_notifications: "msgspec.json.Decoder[Since | Ack]" = msgspec.json.Decoder(Since | Ack)
_tail: "msgspec.json.Decoder[OpenTail | More]" = msgspec.json.Decoder(OpenTail | More)


def read_of_notifications(text: str) -> Since | Ack:
    """Read a client's frame on the socket of notifications.

    Raises:
        InvalidFrame: the frame is invalid.
    """
    return _read(_notifications, text)


def read_of_tail(text: str) -> OpenTail | More:
    """Read a client's frame on the socket of the tail.

    Raises:
        InvalidFrame: the frame is invalid.
    """
    return _read(_tail, text)


class Farewell(StrEnum):
    """Reasons for which the server ends a socket."""

    MALFORMED = "malformed"
    THROTTLED = "throttled"
    UNAUTHENTICATED = "unauthenticated"
    FORBIDDEN = "forbidden"
    SLOW = "slow"
    UNAVAILABLE = "unavailable"
    RESTART = "restart"


def hello(user: str, last: int | None) -> bytes:
    """The first frame of a socket: whose it is, and the number of the newest notification."""
    return _write({"type": "hello", "user": user} | ({} if last is None else {"last": last}))


def notifications(items: Iterable[bytes]) -> bytes:
    """Notifications in the order of their numbers, each written already."""
    return b'{"v":1,"type":"notifications","items":[' + b",".join(items) + b"]}"


def resync(last: int) -> bytes:
    """Request to read the inbox up to this number, and then to send ``since`` again."""
    return _write({"type": "resync", "last": last})


@dataclass(slots=True)
class TailPart:
    """Part of a tail, with its account.

    Attributes:
        events: those that are shown, each written already.
        filtered: how many did not pass the filter.
        left_out: how many were not looked at, as the client or the process was too slow.
    """

    events: list[bytes] = dataclass_field(default_factory=list)
    filtered: int = 0
    left_out: int = 0

    @property
    def is_empty(self) -> bool:
        """Whether there is nothing to say."""
        return not self.events and not self.filtered and not self.left_out


def tail(part: TailPart, at: Mapping[int, int], *, opened: bool) -> bytes:
    """A part of the tail.

    Args:
        part: the events and the account of the others.
        at: the offset of the next event, by partition.
        opened: whether it is the first one after a client's ``tail``.
    """
    members = {"filtered": part.filtered, "left_out": part.left_out, "at": dict(at), "opened": opened}
    return _write({"type": "tail", **members})[:-1] + b',"events":[' + b",".join(part.events) + b"]}"


def bye(farewell: Farewell, detail: str, retry_after: int | None) -> bytes:
    """The last frame of a socket that the server ends; without ``retry_after`` trying again is in vain."""
    return _write({"type": "bye", "code": farewell, "detail": detail, "retry_after": retry_after})


def _write(members: dict[str, object]) -> bytes:
    return orjson.dumps({"v": 1, **members}, option=orjson.OPT_NON_STR_KEYS)


def _read(decoder: "msgspec.json.Decoder[_Frame]", text: str) -> _Frame:
    try:
        return decoder.decode(text)
    except msgspec.ValidationError as error:
        what, _, where = str(error).partition(" - at `$")
        # What is quoted of an invalid value is the client's own.
        kind = "Invalid value" if what.startswith("Invalid value") else what
        raise InvalidFrame(f"{where.strip('.`') or 'the frame'}: {kind}") from None
    except (msgspec.DecodeError, RecursionError):
        raise InvalidFrame("the frame is no JSON") from None


def _quoted(value: str) -> str:
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
