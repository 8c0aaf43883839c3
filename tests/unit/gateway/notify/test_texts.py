"""Mails and webhooks without servers: what they say, and to whom they are not sent."""

import smtplib
from typing import Any
from unittest.mock import Mock

import orjson
import pytest
from django.core.mail import EmailMessage
from pytest_django import Settings
from standardwebhooks import Webhook

from gateway.identity.models import User
from gateway.notify import webhooks
from gateway.notify.mails import send_mail
from gateway.notify.models import Delivery, Subscription
from gateway.notify.outcomes import Permanent, Withdrawn
from gateway.notify.webhooks import check_address, may_connect, send_webhook
from tests.support.gateway import configure
from tests.support.inventory import declare, patch, put
from tests.unit.gateway.notify.conftest import Follow

pytestmark = pytest.mark.django_db


@pytest.fixture
def by_mail(people: dict[str, User], follow: Follow) -> Delivery:
    """A mail to "bo" about a change by "ada"."""
    User.objects.filter(username="adapter").update(username="someone")
    User.objects.filter(username="ada").update(username="adapter")
    del people
    hostile = 'x\r\nBcc: eve@example.com\r\n\r\n"now"'
    declare("thing", {"map": {"type": "object", "additionalProperties": {"type": "string"}}})
    put("thing/a", {"map": {"b": "c"}})
    patch("thing/a", {"map": {hostile: "c"}})
    follow()
    found = Delivery.objects.select_related("notification__recipient", "notification__actor")
    last = found.order_by("pk").last()
    assert last is not None
    return last


@pytest.fixture
def by_webhook(people: dict[str, User], follow: Follow, settings: Settings) -> Delivery:
    """A webhook of "cem"."""
    configure(settings, search_indices=("thing-index",))
    declare("thing", public=True)
    now = people["cem"].date_joined
    secret = webhooks.seal_secret(webhooks.new_secret())
    Subscription.objects.create(
        user=people["cem"],
        type="thing",
        webhook="https://example.com/hooks?token=t",
        sealed_secret=secret,
        created_at=now,
        updated_at=now,
    )
    put("thing/a", {"name": "x"})
    follow()
    return Delivery.objects.select_related("notification__actor", "subscription__user").get(channel="webhook")


def test_a_mail_says_what_was_changed_and_by_whom_and_no_name_ends_its_line(
    by_mail: Delivery, mailoutbox: list[EmailMessage]
) -> None:
    send_mail(by_mail)
    [sent] = mailoutbox
    assert sent.to == ["bo@example.com"]
    assert sent.subject == "thing a changed by adapter"
    lines = sent.body.splitlines()
    assert r'  "/map/x\r\nBcc: eve@example.com\r\n\r\n\"now\""' in lines
    assert "Now: http://127.0.0.1:8000/#view=inventory&type=thing&id=a" in lines
    # A path of the API is nothing for somebody with a browser.
    assert not any(path in sent.body for path in ("8000/inventory", "8000/subscriptions"))
    assert not any(line.startswith("Bcc") for line in lines)
    message = sent.message()
    assert message["Message-ID"] == f"<{by_mail.pk}@localhost>"
    assert message["Auto-Submitted"] == "auto-generated"


def test_a_mail_that_is_sent_again_is_the_same_mail(by_mail: Delivery, mailoutbox: list[EmailMessage]) -> None:
    for _ in range(2):
        send_mail(by_mail)
    first, second = (sent.message() for sent in mailoutbox)
    assert first["Message-ID"] == second["Message-ID"]
    assert first.get_payload() == second.get_payload()


@pytest.mark.parametrize("change", [{"is_active": False}, {"email": None}, {"email_verified": False}])
def test_who_gets_no_mail_any_more_is_sent_none(
    by_mail: Delivery, mailoutbox: list[EmailMessage], change: dict[str, Any]
) -> None:
    recipient = by_mail.notification.recipient
    for name, value in change.items():
        setattr(recipient, name, value)
    with pytest.raises(Withdrawn):
        send_mail(by_mail)
    assert not mailoutbox


@pytest.mark.parametrize(("code", "error"), [(550, Permanent), (450, smtplib.SMTPRecipientsRefused)])
def test_a_mailbox_that_is_unknown_is_not_asked_again(
    by_mail: Delivery, monkeypatch: pytest.MonkeyPatch, code: int, error: type[Exception]
) -> None:
    def refuse(*_: object) -> None:
        raise smtplib.SMTPRecipientsRefused({"bo@example.com": (code, b"no")})

    monkeypatch.setattr("gateway.notify.mails.deliver", refuse)
    with pytest.raises(error):
        send_mail(by_mail)


def test_a_webhook_is_signed_as_the_standard_says(by_webhook: Delivery, monkeypatch: pytest.MonkeyPatch) -> None:
    post = Mock(return_value=204)
    monkeypatch.setattr(webhooks, "_post", post)
    for _ in range(2):
        send_webhook(by_webhook)
    (address, body, headers), (_, _, again) = (call.args for call in post.call_args_list)
    assert address == "https://example.com/hooks?token=t"
    assert headers["webhook-id"] == again["webhook-id"] == f"msg_{by_webhook.pk.hex}"
    assert by_webhook.subscription is not None
    secret = webhooks.read_secret(by_webhook.subscription.sealed_secret)
    told = Webhook(secret or "").verify(body, headers)
    assert told == orjson.loads(body)
    assert told["type"] == "inventory.changed"
    members = {"actor": None, "type": "thing", "id": "a", "version": 1, "op": "create", "changed": [""]}
    assert told["data"] == members | {"actor": "adapter"}


def test_a_webhook_whose_secret_was_sealed_by_another_key_says_so(by_webhook: Delivery, settings: Settings) -> None:
    settings.SECRET_KEY = "another key"
    with pytest.raises(Permanent, match="GATEWAY_SECRET_KEY"):
        send_webhook(by_webhook)


def test_a_webhook_of_somebody_inactive_or_that_was_taken_away_is_not_sent(by_webhook: Delivery) -> None:
    assert by_webhook.subscription is not None
    by_webhook.subscription.user.is_active = False
    with pytest.raises(Withdrawn):
        send_webhook(by_webhook)
    by_webhook.subscription.user.is_active = True
    by_webhook.subscription.webhook = ""
    with pytest.raises(Withdrawn):
        send_webhook(by_webhook)


@pytest.mark.parametrize(
    "address",
    [
        "http://example.com/",
        "ftp://example.com/",
        "https:///hooks",
        "https://user:password@example.com/",
        "https://example.com@127.0.0.1/",
        "https://example.com/#part",
        "https://example.com\\@127.0.0.1/",
        "https://exämple.com/",
        "https://example.com/a b",
        "https://example.com/\n",
        "https://example.com:port/",
        "https://example.com:99999/",
        "https://[::1/",
        "https://127.0.0.1/",
        "https://[::1]:8443/",
        "https://10.0.0.1/",
        "https://example.com/" + "a" * 2048,
    ],
)
def test_an_address_that_no_webhook_may_have(address: str) -> None:
    assert check_address(address) is not None


@pytest.mark.parametrize("address", ["https://example.com", "https://example.com:8443/a?b=c@d", "https://1.1.1.1/"])
def test_an_address_that_a_webhook_may_have(address: str) -> None:
    assert check_address(address) is None


@pytest.mark.parametrize(
    "address",
    [
        "127.0.0.1",
        "10.1.2.3",
        "172.16.0.1",
        "192.168.1.1",
        "169.254.169.254",
        "100.64.0.1",
        "0.0.0.0",
        "224.0.0.1",
        "255.255.255.255",
        "::1",
        "::",
        "fe80::1%eth0",
        "fc00::1",
        "ff02::1",
        "::ffff:127.0.0.1",
        "::ffff:169.254.169.254",
        "64:ff9b::7f00:1",
        "64:ff9b:1::1",
        "2002:7f00:1::",
        "2001:0:7f00:1::",
        "2001:db8::1",
    ],
)
def test_an_inner_address_gets_no_webhook(address: str) -> None:
    assert not may_connect(address)


@pytest.mark.parametrize("address", ["1.1.1.1", "2606:4700:4700::1111", "::ffff:1.1.1.1"])
def test_an_address_of_the_internet_gets_webhooks(address: str) -> None:
    assert may_connect(address)


def test_an_operator_allows_networks(settings: Settings) -> None:
    settings.GATEWAY = type(settings.GATEWAY)(webhook_networks=("10.20.0.0/16",))
    assert may_connect("10.20.3.4") and may_connect("::ffff:10.20.3.4")
    assert not may_connect("10.21.3.4")
