"""What stands on the audit trail before its answer leaves."""

from django.http import HttpResponse

from gateway.audit import audit_trail
from gateway.problems import Code, Problem, Unavailable, as_problem, problem_response
from gateway.record import QueryRecord


def put_on_trail(record: QueryRecord, problem: Problem | None = None) -> None:
    """Write the event of a request, and wait until it is durable.

    Args:
        record: what is known of the request.
        problem: why it has no success, or None.

    Raises:
        Unavailable: the trail cannot be written.
    """
    audit_trail().record(record.event(problem), record.correlation.traceparent)


def refuse(record: QueryRecord, error: Exception) -> HttpResponse:
    """Answer with a problem that is on the trail first; if it cannot be, with that."""
    problem = as_problem(error)
    if problem.code is not Code.AUDIT_UNAVAILABLE:
        try:
            put_on_trail(record, problem)
        except Unavailable as unavailable:
            problem = unavailable
    return problem_response(problem, record.query_id)
