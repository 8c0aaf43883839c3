"""The console event: the contract between the gateway's writers of inboxes and the process of live sockets.

It says that a user's inbox has something new, and nothing else: the inbox is the truth, and whoever reads the event
looks there. So it is sent after the commit and never waited for, and a lost one costs seconds. A user is named by
number, so that the topic holds nobody's name. ``schema/console-event.v1.json`` says the same for other programs.
Optional members may be added: a reader ignores those that it does not know.
"""

# pylint: disable=too-few-public-methods  # a type that only carries data, as dataclasses do

from typing import Annotated

import msgspec
from msgspec import Meta, Struct

from contracts.invalid import InvalidReason, InvalidRecord, require_value

MAX_EVENT_BYTES = 1024


class ConsoleEvent(Struct, gc=False):
    """Wake-up of a user, by the number that the gateway's database has for them."""

    user: Annotated[int, Meta(ge=1, le=2**53 - 1)]


encode = msgspec.json.Encoder().encode
_read_event = msgspec.json.Decoder(ConsoleEvent).decode


def decode(value: bytes | None) -> ConsoleEvent:
    """Read a record's value.

    Raises:
        InvalidRecord: the value is missing, too long, no JSON, or not as the schema says.
    """
    value = require_value(value, MAX_EVENT_BYTES, "a console event")
    try:
        return _read_event(value)
    except msgspec.ValidationError as error:
        raise InvalidRecord(InvalidReason.SCHEMA, str(error)) from None
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise InvalidRecord(InvalidReason.NOT_JSON, type(error).__name__) from None
