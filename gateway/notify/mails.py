"""Delivery by mail."""

from email.utils import parseaddr
from smtplib import SMTPRecipientsRefused

from anymail.exceptions import AnymailRecipientsRefused
from django.conf import settings

from gateway.identity.mail import deliver
from gateway.notify.audience import can_mail
from gateway.notify.models import Delivery
from gateway.notify.outcomes import Permanent, Withdrawn
from gateway.notify.texts import mail_text, subject_of

_PERMANENT = 500
"""From this reply on, a mail server's no is for good (RFC 5321, section 4.2.1)."""


def send_mail(delivery: Delivery) -> None:
    """Send a notification by mail.

    The ``Message-ID`` is the delivery's, so that a mail that is sent twice can be known as one.

    Raises:
        Withdrawn: the recipient gets no mail any more.
        Permanent: the mail server knows no such mailbox.
        Exception: whatever the mail service says; to be tried again.
    """
    notification = delivery.notification
    recipient = notification.recipient
    if not recipient.is_active or not can_mail(recipient):
        raise Withdrawn
    assert recipient.email is not None
    try:
        deliver(
            recipient.email,
            subject_of(notification),
            mail_text(notification),
            {"Message-ID": f"<{delivery.pk}@{_domain()}>"},
        )
    except SMTPRecipientsRefused as error:
        if all(code >= _PERMANENT for code, _ in error.recipients.values()):
            raise Permanent("the mail server refuses the address") from None
        raise
    except AnymailRecipientsRefused:
        raise Permanent("the mail service refuses the address") from None


def _domain() -> str:
    return parseaddr(settings.GATEWAY.mail_from)[1].rpartition("@")[2] or "localhost"
