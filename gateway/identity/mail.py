"""Mail to users, which leaves after the answer.

A job looks up whom it is about when its turn comes: the request takes as long, and answers the same, whether the
address is known or not. Jobs wait in the memory of the process. One that fails is counted and logged, and not tried
again: the user asks again.
"""

import logging
import threading
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from hashlib import sha256
from http import HTTPStatus

from django.conf import settings
from django.core.mail import EmailMessage, get_connection
from django.db import connection

from gateway.http.client_address import neighbourhood
from gateway.http.per_process import PerProcess
from gateway.http.problems import Code, Problem, Unavailable, throttled
from gateway.http.rate_limits import hit
from gateway.identity.mail_url import read_mail_url
from gateway.identity.metrics import MAILS
from gateway.identity.settings import IdentitySettings

logger = logging.getLogger(__name__)

MAX_WAITING = 100
"""Jobs of a process that wait or are worked on."""
_THREADS = 2
_RATE_OF_ADDRESSEE = "5/hour"
"""Mails to one address: nobody's mailbox is to be filled by others."""


class Outbox:  # pylint: disable=too-few-public-methods  # it has one use
    """Jobs that send mail, and the threads that work on them; the process ends when they are done."""

    def __init__(self) -> None:
        self._room = threading.BoundedSemaphore(MAX_WAITING)
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="mail")

    @contextmanager
    def after(self, job: Callable[[], None]) -> Iterator[None]:
        """Let a job be done after the block, unless that raises something.

        Raises:
            Unavailable: as many as may be are waiting.
        """
        if not self._room.acquire(blocking=False):
            raise Unavailable(Code.OVERLOADED, "Too many mails are waiting to be sent; try again.")
        try:
            yield
        except BaseException:
            self._room.release()
            raise
        self._threads.submit(self._work, job)

    def _work(self, job: Callable[[], None]) -> None:
        try:
            job()
        except Exception as error:  # noqa: BLE001  # pylint: disable=broad-exception-caught  # whatever a mail server does
            MAILS.labels("failed").inc()
            logger.error("a mail cannot be sent: %s", error.__class__.__name__)
        finally:
            connection.close()
            self._room.release()


outbox = PerProcess(Outbox, lambda: ())
"""The outbox of this process."""


def require_mail(address: str) -> None:
    """Let a request have a mail sent, and take it from the budget of where it comes from.

    Args:
        address: the client's.

    Raises:
        Problem: 403, this gateway sends no mail; 429, the place has asked for too many.
    """
    if settings.GATEWAY.mail_url is None:
        raise Problem(
            HTTPStatus.FORBIDDEN, Code.FORBIDDEN, "This gateway sends no mail; its operator can set GATEWAY_MAIL_URL."
        )
    seconds = hit("mail-of-address", settings.GATEWAY.mail_rate, neighbourhood(address))
    if seconds:
        raise throttled("Your address", settings.GATEWAY.mail_rate, seconds)


def send(addressee: str, subject: str, text: str) -> None:
    """Send a mail, unless the addressee has got too many of late.

    Args:
        addressee: a mail address.
        subject: the mail's.
        text: plain text; nothing in it was typed by whoever asked for the mail.
    """
    if hit("mail-to-address", _RATE_OF_ADDRESSEE, sha256(addressee.encode()).hexdigest()):
        MAILS.labels("withheld").inc()
        return
    deliver(addressee, subject, text)
    MAILS.labels("sent").inc()


def deliver(addressee: str, subject: str, text: str, headers: Mapping[str, str] | None = None) -> None:
    """Hand a mail to the mail service that ``GATEWAY_MAIL_URL`` names.

    Args:
        addressee: a mail address.
        subject: the mail's.
        text: plain text.
        headers: of the mail, besides those of every mail.
    """
    gateway: IdentitySettings = settings.GATEWAY
    assert gateway.mail_url is not None, "the caller has looked"
    backend, arguments = read_mail_url(gateway.mail_url.get_secret_value())
    # Some programs answer mail that nobody sent by hand (RFC 3834).
    headers = {"Auto-Submitted": "auto-generated", **(headers or {})}
    message = EmailMessage(subject, text, gateway.mail_from, [addressee], headers=headers)
    message.connection = get_connection(backend, **arguments)
    message.send()
