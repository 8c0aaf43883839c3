"""A fatal error of a real producer: librdkafka has a function to raise one, which its Python binding does not offer."""

import ctypes

import psutil
from confluent_kafka import KafkaError, Producer


def force_fatal_error(producer: Producer) -> None:
    """Let the producer fail for ever, as one does whose place a newer one has taken.

    See ``rd_kafka_test_fatal_error`` in https://github.com/confluentinc/librdkafka/blob/v2.16.0/src/rdkafka.h.
    """
    paths = (mapped.path for mapped in psutil.Process().memory_maps())
    library = ctypes.CDLL(next(path for path in paths if "librdkafka" in path))
    # The binding's object begins with what every object of CPython begins with, and then has the handle.
    handle = ctypes.c_void_p.from_address(id(producer) + object.__basicsize__)
    assert library.rd_kafka_test_fatal_error(handle, KafkaError.INVALID_PRODUCER_EPOCH, b"fenced") == 0
