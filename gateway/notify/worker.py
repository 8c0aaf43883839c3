"""Parts of the worker that tell users what has changed."""

from gateway.inventory.turns import Part
from gateway.notify import follower, upkeep
from gateway.notify.mails import send_mail
from gateway.notify.models import Channel
from gateway.notify.sender import Sender
from gateway.notify.webhooks import send_webhook


def parts() -> dict[str, Part]:
    """The parts by name: those who follow changes, send mail, send webhooks, and look after all of it."""
    return {
        "notifications": follower.run,
        "mails": Sender(Channel.EMAIL, send_mail).run,
        "webhooks": Sender(Channel.WEBHOOK, send_webhook).run,
        "upkeep": upkeep.run,
    }
