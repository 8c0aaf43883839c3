"""Delivery reports, as they decide on an event."""

import pytest
from confluent_kafka import KafkaError

from gateway.audit.producer import Delivery


def _reported(code: int | None) -> Delivery:
    delivery = Delivery()
    delivery.report(None if code is None else KafkaError(code))
    return delivery


@pytest.mark.parametrize("code", [KafkaError.MSG_SIZE_TOO_LARGE, KafkaError.INVALID_RECORD])
def test_an_event_whose_record_is_at_fault_is_refused_for_ever(code: int) -> None:
    delivery = _reported(code)
    assert delivery.is_refused_for_good
    assert not delivery.is_acknowledged(0)


@pytest.mark.parametrize(
    "code",
    [
        KafkaError.TOPIC_AUTHORIZATION_FAILED,
        KafkaError.INVALID_TIMESTAMP,
        KafkaError.INVALID_MSG,
        # pylint: disable=protected-access  # librdkafka's own errors; their names begin so
        KafkaError._INVALID_DIFFERENT_RECORD,
        KafkaError._PURGE_QUEUE,
        KafkaError._QUEUE_FULL,
    ],
)
def test_an_error_that_passes_or_can_be_mended_refuses_no_event(code: int) -> None:
    delivery = _reported(code)
    assert delivery.error is not None
    assert not delivery.is_refused_for_good
    assert not delivery.is_acknowledged(0)


def test_an_event_that_has_arrived_or_still_may_is_not_refused() -> None:
    assert _reported(None).is_acknowledged(0)
    assert not _reported(None).is_refused_for_good
    assert not Delivery().is_refused_for_good
