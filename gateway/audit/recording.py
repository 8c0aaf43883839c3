"""Recording of events, each before its answer leaves."""

from django.conf import settings
from django.http import HttpResponse
from opentelemetry.trace import SpanKind

from gateway.audit.delivery import event_delivery
from gateway.audit.draft import EventDraft
from gateway.audit.metrics import REFUSALS_NOT_RECORDED
from gateway.http.client_address import neighbourhood
from gateway.http.correlation import current_correlation
from gateway.http.metrics import STAGE_SECONDS
from gateway.http.problems import Code, Problem, Unavailable, as_problem, problem_response
from gateway.http.rate_limits import hit
from kit import tracing


@STAGE_SECONDS.labels("audit").time()
def record_event(draft: EventDraft, problem: Problem | None = None) -> None:
    """Write the event of a request, and wait until it is durable.

    Args:
        draft: what is known of the request.
        problem: why it has no success, or None.

    Raises:
        Unavailable: the trail cannot be written.
    """
    topic = settings.AUDIT.topic
    attributes = {
        "messaging.system": "kafka",
        "messaging.operation.name": "send",
        "messaging.operation.type": "send",
        "messaging.destination.name": topic,
        "messaging.message.id": draft.query_id,
    }
    with tracing.span(f"send {topic}", SpanKind.PRODUCER, attributes):
        event_delivery().record(draft.event(problem), tracing.traceparent() or current_correlation().traceparent)
    draft.is_recorded = True


def may_record_refusal(address: str) -> bool:
    """Whether one more refusal of an unknown or throttled caller goes on the trail, so that a flood cannot fill it.

    Takes one of ``GATEWAY_RECORDED_REFUSALS``, of which one address has a tenth, so that it cannot hide the refusals of
    others; with none left, the refusal is counted and no more.

    Args:
        address: where the request comes from.
    """
    rate = settings.GATEWAY.recorded_refusals
    amount, _, period = rate.partition("/")
    share = f"{max(1, int(amount) // 10)}/{period}"
    # The address's share first: what is over that takes nothing from the others.
    if not hit("recorded-refusals-of-address", share, neighbourhood(address)) and not hit(
        "recorded-refusals", rate, "everybody"
    ):
        return True
    REFUSALS_NOT_RECORDED.inc()
    return False


def refuse(draft: EventDraft, error: Exception) -> HttpResponse:
    """Answer with a problem that is on the trail first; if it cannot be, with that.

    A request that fails after its event is durable is not recorded again: each request has one event.
    """
    problem = as_problem(error)
    if problem.code is not Code.AUDIT_UNAVAILABLE and not draft.is_recorded:
        try:
            record_event(draft, problem)
        except Unavailable as unavailable:
            problem = unavailable
    return problem_response(problem, draft.query_id)


def refuse_unknown(draft: EventDraft, problem: Problem) -> HttpResponse:
    """Answer somebody who is not known: on the trail first, as far as ``may_record_refusal`` lets it.

    Nothing is given away here, so a trail that cannot be written does not change the answer.
    """
    if not may_record_refusal(draft.metadata.client_ip or ""):
        return problem_response(problem)
    try:
        record_event(draft, problem)
    except Unavailable:
        REFUSALS_NOT_RECORDED.inc()
        return problem_response(problem)
    return problem_response(problem, draft.query_id)
