"""Distributed tracing by OpenTelemetry, off until the ``OTEL_*`` variables turn it on.

The spans follow the semantic conventions (https://opentelemetry.io/docs/specs/semconv/) as far as privacy lets them: no
attribute holds what somebody searched for, who it was, or from where, and an exception leaves its type only.

Why: all services share this module, because copies could come to differ in what they may record.
"""

import threading
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager

from opentelemetry import trace
from opentelemetry.context import Context, attach
from opentelemetry.trace import INVALID_SPAN, Link, Span, SpanKind, StatusCode, Tracer
from opentelemetry.trace.propagation.tracecontext import TraceContextTextMapPropagator

from kit.settings import TracingSettings

Attributes = Mapping[str, str | int]

_FLUSH_SECONDS = 2.0
"""Seconds that the end of a process waits for spans to be exported: the collector may be away."""

_propagator = TraceContextTextMapPropagator()


class _Tracing:  # pylint: disable=too-few-public-methods  # the one variable of this module
    tracer: Tracer | None = None


def set_up(service: str, settings: TracingSettings) -> None:
    """Turn tracing on for this process, if the settings say so; to be called after the fork that makes it.

    Spans are exported in the background, and what the collector does not take in time is dropped. The SDK reads the
    variables that are not ours to decide upon by itself: service name, resource attributes, sampler, limits, time-outs.

    Args:
        service: the service's name, unless ``OTEL_SERVICE_NAME`` or ``OTEL_RESOURCE_ATTRIBUTES`` gives another.
        settings: whether tracing is on, and what the collector wants to be told.
    """
    if not settings.on:
        return
    # pylint: disable=import-outside-toplevel  # where tracing is off, they need not be loaded
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import OTELResourceDetector, Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    resource = Resource.create({"service.name": service}).merge(OTELResourceDetector().detect())
    provider = TracerProvider(resource=resource, shutdown_on_exit=False)
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter(headers=settings.headers)))
    _Tracing.tracer = provider.get_tracer("sluice")

    def flush_at_the_end() -> None:
        threading.main_thread().join()
        flush = threading.Thread(target=provider.shutdown, name="tracing-flush", daemon=True)
        flush.start()
        flush.join(_FLUSH_SECONDS)

    # No daemon: the interpreter waits for it, also in a worker process, which runs no exit handlers.
    threading.Thread(target=flush_at_the_end, name="tracing-end").start()


def is_on() -> bool:
    """Whether this process traces."""
    return _Tracing.tracer is not None


@contextmanager
def span(
    name: str,
    kind: SpanKind,
    attributes: Attributes | None = None,
    *,
    parent: Context | None = None,
    links: Sequence[Link] = (),
) -> Iterator[Span]:
    """Make a span of what the block does, and the current one in it.

    Without a parent, and outside of every other span, no span is made: work that no request has caused, such as a probe
    of a dependency, begins no trace.

    Args:
        name: low in variety: never an id, a path or a query.
        kind: the side of a call.
        attributes: by the semantic conventions.
        parent: if it is not the current span; an empty context begins a new trace.
        links: what else has caused it.

    Returns:
        the span, or one that takes everything and keeps nothing.
    """
    tracer = _Tracing.tracer
    if tracer is None or (parent is None and not trace.get_current_span().get_span_context().is_valid):
        yield INVALID_SPAN
        return
    with tracer.start_as_current_span(
        name,
        parent,
        kind,
        attributes,
        links,
        # An exception's text quotes what it fails on, which may be a query.
        record_exception=False,
        set_status_on_exception=False,
    ) as current:
        try:
            yield current
        except Exception as error:
            fail(current, error.__class__.__name__)
            raise


def fail(current: Span, error_type: str) -> None:
    """Mark a span as failed.

    Args:
        current: the span.
        error_type: a short name, never a text (``error.type``).
    """
    current.set_attribute("error.type", error_type)
    current.set_status(StatusCode.ERROR)


def traceparent() -> str | None:
    """The current span as a header that carries it on (https://www.w3.org/TR/trace-context/), if there is one."""
    if _Tracing.tracer is None:
        return None
    carrier: dict[str, str] = {}
    _propagator.inject(carrier)
    return carrier.get("traceparent")


def read_traceparent(header: str | None) -> Context:
    """Read where a trace comes from; the context is empty where the header is malformed or missing."""
    return _propagator.extract({"traceparent": header} if header is not None else {}, Context())


def join(header: str | None) -> None:
    """Without tracing, give the log lines of the current context the trace that a request comes with."""
    if _Tracing.tracer is None:
        attach(read_traceparent(header))
