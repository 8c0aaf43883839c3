"""``POST /inventory/{type}/import``: documents of any number, a line each.

Why the results come after the last line: most clients read no answer while they send, and one that does not would stop
both sides. Results wait in a temporary file, and a client's sending waits for the database, so that memory is bounded.
The file is in ``/var/tmp``: ``/tmp`` is memory in a container. An import ends before there is no room for its results.
"""

import shutil
import tempfile
from collections.abc import Iterator
from functools import partial
from typing import IO, Any

import orjson
from django.http import StreamingHttpResponse
from drf_spectacular.utils import OpenApiExample, OpenApiParameter, OpenApiResponse
from rest_framework.exceptions import UnsupportedMediaType
from rest_framework.request import Request

from gateway.audit.recording import record_event
from gateway.audit.views import NOT_KEPT
from gateway.http.concurrency_limit import ConcurrencyLimit
from gateway.http.deadline import without_deadline
from gateway.http.memory import Part, claim
from gateway.http.metrics import PROBLEMS
from gateway.http.openapi import INDEX, KNOWN, operation
from gateway.http.problems import Code, Unavailable, as_problem, problem_object
from gateway.identity.authentication import caller
from gateway.inventory.base_views import InventoryView, author_of
from gateway.inventory.consistency import TOKEN
from gateway.inventory.idempotency import read_key
from gateway.inventory.import_lines import csv_lines, ndjson_lines
from gateway.inventory.imports import MAX_TEXT_BYTES, Account, Import
from gateway.inventory.type_views import TYPE
from gateway.inventory.writes import find_place
from gateway.search.csv_stream import MEDIA_TYPE as CSV
from gateway.search.streams import MEDIA_TYPE as NDJSON
from gateway.search.views import caller_check

_operation = partial(operation, group="Inventory")
MAX_IMPORTS = 2
"""At once in a process: each holds a thread for as long as its client sends."""
_COPIES = 16
"""Memory that the lines of a transaction take, in lengths of theirs."""
_PART_BYTES = 64 * 1024
_IN_MEMORY_BYTES = 1024 * 1024
"""Of results; more are in a temporary file."""
_FOLDER = "/var/tmp"  # of files that have no name
_ROOM_BYTES = 64 * 1024 * 1024
"""Free space without which no more lines are written: each transaction of each import has room for its results."""
_TEXT = {"type": "string"}


_imports = ConcurrencyLimit(
    MAX_IMPORTS,
    of_user=1,
    throttled="You are importing already; wait until that ends.",
    overloaded="The gateway has as many imports as it can do at once; try again.",
)


class ImportView(InventoryView):
    """Import of documents."""

    streams_body = True
    """The body has no limit, and is read while lines of it are written."""

    @_operation(
        "import_inventory",
        None,
        {NDJSON: _TEXT, CSV: _TEXT},
        problems=(400, *KNOWN, *INDEX, 415, 422),
        also={
            (200, NDJSON): OpenApiResponse(
                _TEXT,
                "A result for each line, in order, then the summary; or, where the import ended early, a problem.",
                [
                    OpenApiExample(
                        "two lines",
                        '{"line":1,"id":"A-1","result":"created","version":1}\n'
                        '{"line":2,"id":"A-2","result":"unchanged","version":4}\n'
                        '{"summary":{"lines":2,"created":1,"replaced":0,"unchanged":1,"deleted":0,"failed":0}}\n',
                    )
                ],
            )
        },
        parameters=[
            TYPE,
            OpenApiParameter(
                "Idempotency-Key", str, OpenApiParameter.HEADER, description="The same results for 24 hours."
            ),
        ],
    )
    def post(self, request: Request, type_name: str) -> StreamingHttpResponse:
        """Import documents, a line each.

        A document is created or replaced whatever version it has, unless its line has `_version`. A bad line fails
        alone.
        """
        draft = self.writer(request, type_name)
        key = read_key(request)
        media_type = (request.content_type or "").partition(";")[0].strip().lower()
        if media_type not in (NDJSON, CSV):
            raise UnsupportedMediaType(media_type[:100], f"Send {NDJSON} or {CSV}, in UTF-8.")
        if request.headers.get("Content-Encoding", "identity").lower() != "identity":
            raise UnsupportedMediaType(media_type, "Send the body without a Content-Encoding.")
        declared = find_place(type_name, "").declared
        user = caller(request)
        check_caller = caller_check(request, lambda user: self.check_writer(user, type_name))
        job, account = Import(type_name, user, author_of(request, draft), key, check_caller), Account()
        parts = _parts(request.META["wsgi.input"], int(request.META.get("CONTENT_LENGTH") or -1))
        lines = ndjson_lines(parts) if media_type == NDJSON else csv_lines(parts, declared)
        _imports.enter(user.pk)
        # The answer closes it.
        results = tempfile.SpooledTemporaryFile(  # noqa: SIM115  # pylint: disable=consider-using-with
            _IN_MEMORY_BYTES, dir=_FOLDER
        )
        try:
            claim(Part.BODY, _COPIES * MAX_TEXT_BYTES)
            with without_deadline():
                _run(job.run(lines, account), account, results)
            if not account.changed:
                record_event(draft)
            # The rows of its changes are its events.
            draft.is_recorded = True
        except BaseException:
            results.close()
            raise
        finally:
            _imports.leave(user.pk)
        results.seek(0)
        headers = NOT_KEPT | ({TOKEN: account.token} if account.token else {})
        return StreamingHttpResponse(_Results(results), content_type=NDJSON, headers=headers)


def _run(transactions: Iterator[bytes], account: Account, results: IO[bytes]) -> None:
    """Write results as they come, and at the end the summary, or the problem for which the import ended.

    Raises:
        Problem: it ended before the first result.
    """
    try:
        _require_room(account)
        for some in transactions:
            results.write(some)
            _require_room(account)
        results.write(account.summary())
    # Whatever it is, what was written is written, and the client is told so.
    except Exception as error:  # pylint: disable=broad-exception-caught
        if not account.lines:
            raise
        problem = as_problem(error)
        PROBLEMS.labels(problem.code).inc()
        results.write(orjson.dumps({"problem": problem_object(problem)}, option=orjson.OPT_APPEND_NEWLINE))


def _require_room(account: Account) -> None:
    """Refuse to go on where there may be no room for more results.

    Raises:
        Unavailable: the disk is nearly full.
    """
    if shutil.disk_usage(_FOLDER).free < _ROOM_BYTES:
        raise Unavailable(
            Code.OVERLOADED,
            f"The gateway has no room for more results; send what is left, from line {account.lines + 1:,} on, later.",
        )


class _Results:
    """Results as the parts of an answer, which closes them."""

    def __init__(self, results: Any) -> None:
        self._results = results

    def __iter__(self) -> "_Results":
        return self

    def __next__(self) -> bytes:
        part: bytes = self._results.read(_PART_BYTES)
        if not part:
            raise StopIteration
        return part

    def close(self) -> None:
        """Remove the file."""
        self._results.close()


def _parts(body: IO[bytes], length: int) -> Iterator[bytes]:
    """The parts of a body as they come; with a length, of so many bytes."""
    left = length
    while left and (part := body.read(_PART_BYTES if left < 0 else min(left, _PART_BYTES))):
        left -= len(part)
        yield part
