"""A mail server of a test's own, which keeps what it is given."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from email import message_from_bytes, policy
from email.message import EmailMessage
from typing import Any

from aiosmtpd.controller import Controller

from local import ports


class Mailbox:
    """Mails that the server was given, and its acts before it says yes.

    Attributes:
        mails: each with whom it is for.
        before_yes: called when a mail is taken, before the client is told so.
        answer: the server's answer to a mail.
    """

    def __init__(self) -> None:
        self.mails: list[tuple[str, EmailMessage]] = []
        self.before_yes: Callable[[], object] = lambda: None
        self.answer = "250 OK"

    async def handle_DATA(  # pylint: disable=invalid-name  # as the library has it
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        """Take a mail."""
        if self.answer.startswith("250"):
            message = message_from_bytes(envelope.content, policy=policy.default)
            self.mails += [(address, message) for address in envelope.rcpt_tos]
            self.before_yes()
        return self.answer

    def ids(self, address: str) -> list[str]:
        """The ``Message-ID`` of each mail to an address."""
        return [message["Message-ID"] for to, message in self.mails if to == address]


@contextmanager
def mail_server(port: int | None = None) -> Iterator[tuple[Mailbox, int]]:
    """A mail server on a port of this machine, while the context lasts."""
    box, port = Mailbox(), port or ports.free(1)[0]
    controller = Controller(box, "127.0.0.1", port)
    controller.start()
    try:
        yield box, port
    finally:
        controller.stop()
