"""Spans of notifications: one for what is told, and one for each try to deliver, without names and addresses."""

from collections.abc import Callable
from typing import Any

import pytest
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import StatusCode

from gateway.identity.models import User
from gateway.notify.models import Channel, Delivery
from gateway.notify.sender import Sender
from gateway.notify.webhooks import Refused
from tests.support.inventory import declare, put
from tests.unit.gateway.notify.conftest import Follow

pytestmark = pytest.mark.django_db


@pytest.fixture
def spans(monkeypatch: pytest.MonkeyPatch) -> InMemorySpanExporter:
    """The spans that were made."""
    exporter, provider = InMemorySpanExporter(), TracerProvider()
    provider.add_span_processor(SimpleSpanProcessor(exporter))
    monkeypatch.setattr("kit.tracing._Tracing.tracer", provider.get_tracer("test"))
    return exporter


class _AtOnce:  # pylint: disable=too-few-public-methods  # it stands for threads
    def submit(self, work: Callable[[Delivery], None], delivery: Delivery) -> None:
        """Do at once what a thread would do."""
        work(delivery)


def test_telling_and_delivering_are_spans_without_personal_data(
    people: dict[str, User], follow: Follow, spans: InMemorySpanExporter, monkeypatch: pytest.MonkeyPatch
) -> None:
    del people
    monkeypatch.setattr("gateway.notify.sender.connection.close", lambda: None)
    declare("thing")
    put("thing/a", {"name": "x"})
    follow()

    def refuse(_: Delivery) -> None:
        raise Refused("the receiver answered 503")

    at_once: Any = _AtOnce()
    Sender(Channel.EMAIL, refuse).turn(at_once)
    told, *tries = spans.get_finished_spans()
    assert told.name == "tell of inventory changes"
    assert {each.name for each in tries} == {"deliver email"}
    assert {each.status.status_code for each in tries} == {StatusCode.ERROR}
    ids = set(map(str, Delivery.objects.values_list("pk", flat=True)))
    assert {(each.attributes or {})["messaging.message.id"] for each in tries} == ids
    written = " ".join(each.to_json() for each in (told, *tries))
    assert not any(word in written for word in ("example.com", '"ada"', "thing"))
