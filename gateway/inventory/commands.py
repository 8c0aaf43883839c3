"""Common parts of the gateway's commands that change documents."""

import uuid

from msgspec.structs import asdict

from contracts.query_event.command import AUTH_SCHEME, operator
from contracts.query_event.event import EventMetadata
from gateway.inventory.batch import Author
from kit import __version__


def command_author() -> Author:
    """The author of changes that a command makes: the user of the machine."""
    request_id = str(uuid.uuid4())
    metadata = EventMetadata(request_id, None, None, None, AUTH_SCHEME, "gateway", __version__)
    return Author(operator(), request_id, asdict(metadata))
