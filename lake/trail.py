"""Commands of the lake on the audit trail, before they do anything."""

from contracts.query_event.command import CommandNotRecorded, record_command
from lake.errors import LakeError


def record(change: str, undone: str = "nothing was changed") -> None:
    """Put a change, or an auditor's look at names, on the audit trail; it may be done once this has returned.

    Args:
        change: it in words.
        undone: the words with which the error says that nothing was done.

    Raises:
        ConfigurationError: the settings of Kafka are invalid.
        LakeError: Kafka does not take the event.
    """
    try:
        record_command("lake", change, undone)
    except CommandNotRecorded as error:
        raise LakeError(str(error)) from None


def record_look(look: str) -> None:
    """Put a look at names on the audit trail; they may be shown once this has returned.

    Raises:
        ConfigurationError: the settings of Kafka are invalid.
        LakeError: Kafka does not take the event.
    """
    record(look, "no names are shown")
