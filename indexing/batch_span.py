"""Span of a bulk request: linked to the spans that produced its records, and a child of the first.

https://opentelemetry.io/docs/specs/semconv/messaging/messaging-spans/#batch-receiving

Why: with links alone a batch would begin a trace of its own with its own sampling, and nearly all batches with sampled
records would be missing. A span for each record costs more than the record. Without a sampled record there is no span.
"""

from collections.abc import Iterator
from contextlib import AbstractContextManager, nullcontext
from itertools import islice

from confluent_kafka import Message
from opentelemetry import trace
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanContext, SpanKind

from indexing.batch import Write
from kit import tracing

_MAX_LINKS = 128
"""As many links as a span keeps unless ``OTEL_SPAN_LINK_COUNT_LIMIT`` says otherwise."""


def batch_span(write: Write) -> AbstractContextManager[Span]:
    """Make a span of the processing of a batch, if any record in it belongs to a trace that is sampled.

    It is linked to the spans that produced the records, and is a child of the first of them: that one's sampling holds,
    and a single record can be followed from its producer to its document within one trace.
    """
    if not tracing.is_on():
        return nullcontext(INVALID_SPAN)
    producers = list(islice(_sampled(write.records), _MAX_LINKS))
    if not producers:
        return nullcontext(INVALID_SPAN)
    topic = write.records[0].topic() or ""
    attributes: dict[str, str | int] = {
        "messaging.system": "kafka",
        "messaging.operation.name": "process",
        "messaging.operation.type": "process",
        "messaging.destination.name": topic,
        "messaging.batch.message_count": len(write.records),
    }
    parent = trace.set_span_in_context(trace.NonRecordingSpan(producers[0]))
    links = [Link(producer) for producer in producers]
    return tracing.span(f"process {topic}", SpanKind.CONSUMER, attributes, parent=parent, links=links)


def _sampled(records: list[Message]) -> Iterator[SpanContext]:
    """Return the sampled traces of the records' ``traceparent`` headers."""
    for record in records:
        value = dict(record.headers() or []).get("traceparent")
        if isinstance(value, bytes):
            context = tracing.read_traceparent(value.decode("latin-1"))
            producer = trace.get_current_span(context).get_span_context()
            if producer.is_valid and producer.trace_flags.sampled:
                yield producer
