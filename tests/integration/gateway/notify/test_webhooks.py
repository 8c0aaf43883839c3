"""Webhooks to a real HTTPS server: what is sent, and what is not followed, trusted or connected to."""

from collections.abc import Iterator
from datetime import UTC, datetime
from ipaddress import ip_network
from pathlib import Path

import orjson
import pytest
from pytest_django import Settings
from standardwebhooks import Webhook

from gateway.identity.models import User
from gateway.notify import webhooks
from gateway.notify.inbox import Addressed, Channels, Message, tell_each
from gateway.notify.models import Channel, Delivery, Kind, Subscription
from gateway.notify.outcomes import Permanent
from gateway.notify.webhooks import Refused, send_webhook
from tests.support.gateway import configure
from tests.support.webhook_receiver import Receiver, webhook_receiver

pytestmark = pytest.mark.django_db

_LOOPBACK = (ip_network("127.0.0.0/8"), ip_network("::1/128"))
_DATA = {"type": "product", "id": "ü", "version": 1, "op": "create", "changed": [""]}


@pytest.fixture
def receiver(tmp_path: Path, settings: Settings) -> Iterator[Receiver]:
    """A receiver on this machine, which the operator has allowed."""
    with webhook_receiver(tmp_path) as it:
        configure(settings, webhook_ca_certs=it.ca_certs, webhook_networks=_LOOPBACK)
        yield it


@pytest.fixture
def delivery(receiver: Receiver) -> Delivery:
    """A webhook that is due, of the user "ada"."""
    user, now = User.objects.create(username="ada"), datetime.now(UTC)
    row = Subscription.objects.create(
        user=user,
        type="product",
        webhook=f"{receiver.url}/hooks?token=t",
        sealed_secret=webhooks.seal_secret(webhooks.new_secret()),
        created_at=now,
        updated_at=now,
    )
    message = Message(Kind.INVENTORY_CHANGED, "c1", now, user.pk, _DATA)
    tell_each([Addressed(message, user.pk, Channels(webhooks=frozenset([row.pk])))])
    return Delivery.objects.select_related("notification__actor", "subscription__user").get(channel=Channel.WEBHOOK)


def _move(delivery: Delivery, address: str) -> None:
    assert delivery.subscription is not None
    delivery.subscription.webhook = address


def test_the_receiver_can_verify_it_and_knows_a_repeat(delivery: Delivery, receiver: Receiver) -> None:
    for _ in range(2):
        send_webhook(delivery)
    assert delivery.subscription is not None
    secret = webhooks.read_secret(delivery.subscription.sealed_secret)
    ids = set()
    for path, headers, body in receiver.received:
        assert path == "/hooks?token=t"
        told = Webhook(secret or "").verify(body, headers)
        assert told["data"] == {"actor": "ada", **_DATA}
        assert orjson.loads(body) == told
        ids.add(headers["webhook-id"])
    assert (len(receiver.received), len(ids)) == (2, 1)


@pytest.mark.parametrize("status", [301, 302, 307, 308])
def test_a_redirect_is_not_followed(delivery: Delivery, receiver: Receiver, status: int) -> None:
    receiver.statuses, receiver.location = [status], f"{receiver.url}/elsewhere"
    with pytest.raises(Refused, match=f"answered {status}"):
        send_webhook(delivery)
    assert [path for path, _, _ in receiver.received] == ["/hooks?token=t"]


@pytest.mark.parametrize("status", [400, 404, 429, 500, 503])
def test_a_refusal_is_tried_again(delivery: Delivery, receiver: Receiver, status: int) -> None:
    receiver.statuses = [status]
    with pytest.raises(Refused, match=f"answered {status}"):
        send_webhook(delivery)
    send_webhook(delivery)


def test_a_receiver_that_is_gone_is_not_asked_again(delivery: Delivery, receiver: Receiver) -> None:
    receiver.statuses = [410]
    with pytest.raises(Permanent):
        send_webhook(delivery)


def test_a_long_answer_is_not_read_to_its_end(delivery: Delivery, receiver: Receiver) -> None:
    receiver.statuses, receiver.body = [200], b"x" * 1_000_000
    with pytest.raises(Refused, match="longer than"):
        send_webhook(delivery)


def test_a_slow_receiver_is_waited_for_so_long(
    delivery: Delivery, receiver: Receiver, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(webhooks, "TIMEOUT_SECONDS", 0.3)
    receiver.wait = 1.0
    with pytest.raises(Refused, match="no answer within"):
        send_webhook(delivery)


def test_a_certificate_of_an_unknown_authority_is_not_trusted(
    delivery: Delivery, receiver: Receiver, settings: Settings
) -> None:
    configure(settings, webhook_ca_certs=None)
    with pytest.raises(Refused, match="certificate"):
        send_webhook(delivery)
    assert receiver.received == []


def test_a_certificate_of_another_host_is_not_trusted(delivery: Delivery, receiver: Receiver) -> None:
    _move(delivery, receiver.url.replace("localhost", "127.0.0.1"))
    with pytest.raises(Refused, match="certificate"):
        send_webhook(delivery)
    assert receiver.received == []


def test_a_name_that_leads_into_the_inner_network_is_not_connected_to(
    delivery: Delivery, receiver: Receiver, settings: Settings
) -> None:
    """The address is looked at as it is connected to, so that what a name server says at another time is nothing."""
    configure(settings, webhook_networks=())
    with pytest.raises(Refused, match="GATEWAY_WEBHOOK_NETWORKS"):
        send_webhook(delivery)
    assert receiver.received == []


def test_a_server_without_tls_gets_nothing(delivery: Delivery, receiver: Receiver, closed_port: int) -> None:
    _move(delivery, f"https://localhost:{closed_port}/")
    with pytest.raises(Refused, match="no connection"):
        send_webhook(delivery)
    assert receiver.received == []


def test_what_the_log_and_the_row_say_has_neither_host_nor_path(delivery: Delivery, closed_port: int) -> None:
    _move(delivery, f"https://localhost:{closed_port}/token")
    with pytest.raises(Refused) as caught:
        send_webhook(delivery)
    assert "localhost" not in str(caught.value) and "token" not in str(caught.value)
