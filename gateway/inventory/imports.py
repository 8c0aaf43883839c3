"""Import of documents: hundreds a transaction, with one result a line.

A line is a document. Members that begin with an underscore are about it: ``_id`` is its id where the type has no key,
``_parent`` the id of its parent, ``_version`` the version that it must have, and ``"_deleted": true`` deletes it.

All checks of a line are made in memory, so that a bad one fails alone. Where the database refuses a value all the same,
the lines of the transaction are written again, each in a savepoint.
"""

import hashlib
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field, replace
from http import HTTPStatus
from typing import Any
from uuid import UUID

import orjson
from django.db import DataError, transaction

from contracts.query_event.event import new_event_id
from gateway.http.preconditions import ETags
from gateway.http.problems import Problem, malformed, problem_object
from gateway.identity.models import User
from gateway.inventory import metrics
from gateway.inventory.batch import Author, Batch, Result, Written
from gateway.inventory.documents import read_json, require_object
from gateway.inventory.idempotency import Answer, IdempotentRequest
from gateway.inventory.import_lines import Line
from gateway.inventory.models import Operation
from gateway.inventory.preconditions import Preconditions
from gateway.inventory.transactions import transact
from gateway.inventory.writes import Place, check_id, checked_text, find_place, new_id

MAX_LINES = 500
"""Of a transaction."""
MAX_TEXT_BYTES = 2 * 1024 * 1024
"""Of the lines of a transaction together, unless one alone is longer."""
_MAX_PROBLEM_BYTES = 1_536
"""Of a line's problem; a longer one does not list the errors."""
FAILED = "failed"
RESULTS = (*(result.value for result in Result), FAILED)
_OPTIONS = {"_id": str, "_parent": str, "_version": int, "_deleted": bool}


@dataclass(slots=True)
class Account:
    """Account of an import: how many lines had which result, and the token of its last change.

    ``changed`` counts the lines that have changed a document now, and not when the same import was sent before.
    """

    lines: int = 0
    results: Counter[str] = field(default_factory=Counter)
    changed: int = 0
    token: str = ""

    def summary(self) -> bytes:
        """The last line of an answer; its results add up to its lines."""
        counts = {name: self.results[name] for name in RESULTS}
        return orjson.dumps({"summary": {"lines": self.lines, **counts}}, option=orjson.OPT_APPEND_NEWLINE)


@dataclass(frozen=True, slots=True)
class Import:
    """An import into one type.

    Attributes:
        name: of the type.
        key: of the request, if it has one; each transaction keeps its answer under a part of it.
        check_caller: raises a problem if the user may not write on; called before each transaction.
        import_id: what all its changes have in common.
    """

    name: str
    user: User
    author: Author
    key: str | None = None
    check_caller: Callable[[], None] = lambda: None
    import_id: UUID = field(default_factory=lambda: UUID(new_event_id()))

    def run(self, lines: Iterable[Line], account: Account) -> Iterator[bytes]:
        """Write all lines.

        Args:
            account: is kept up to date.

        Yields:
            the results of a transaction, a line each, once it is committed.

        Raises:
            Problem: 404, there is no such type; 422, another import had the key; 503; what ``check_caller`` raises.
        """
        for number, some in enumerate(_transactions(lines)):
            self.check_caller()
            answer, is_repeated = self._answer(number, some, account.lines)
            account.lines += len(some)
            results = Counter(answer.headers["results"].split())
            account.results.update(results)
            if not is_repeated:
                for result, count in results.items():
                    metrics.WRITES.labels(result).inc(count)
                account.changed += len(some) - results[Result.UNCHANGED] - results[FAILED]
            account.token = answer.headers["token"] or account.token
            yield answer.body

    def _answer(self, number: int, lines: list[Line], before: int) -> tuple[Answer, bool]:
        """The answer to the lines of a transaction, and whether it is the one of before."""
        if self.key is None:
            return transact(lambda: self._write(lines, before)), False
        known = IdempotentRequest(self.user, f"{self.key}#{number}", self._digest(lines))
        return transact(lambda: known.answer(lambda: self._write(lines, before)))

    def _digest(self, lines: list[Line]) -> str:
        found = hashlib.sha256(self.name.encode())
        for line in lines:
            found.update(len(line.text).to_bytes(8) + line.text)
        return found.hexdigest()

    def _write(self, lines: list[Line], before: int) -> Answer:
        place = find_place(self.name, "")
        entries = [_Entry(number, line, place) for number, line in enumerate(lines, before + 1)]
        try:
            with transaction.atomic():
                self._store(place, entries)
        except DataError:
            for entry in entries:
                try:
                    with transaction.atomic():
                        self._store(place, [entry])
                except DataError:
                    entry.problem = malformed("The line has a value that the database cannot hold.")
        return Answer(
            HTTPStatus.OK,
            {"results": " ".join(entry.result for entry in entries), "token": next(_changes(entries), "")},
            b"".join(entry.answer() for entry in entries),
        )

    def _store(self, place: Place, entries: "list[_Entry]") -> None:
        good = [entry for entry in entries if entry.problem is None]
        author = replace(self.author, import_id=self.import_id)
        batch = Batch(place.catalogue, place.declared, author, [(entry.document_id, entry.parent_id) for entry in good])
        batch.read_references(entry.document for entry in good if not entry.is_deletion)
        for entry in good:
            try:
                entry.store(batch)
            except Problem as problem:
                entry.problem = problem
        batch.flush()


class _Entry:  # pylint: disable=too-many-instance-attributes  # what a line says, and what became of it
    """A line, and its result."""

    def __init__(self, number: int, line: Line, place: Place) -> None:
        self._number = number
        self.problem = line.problem
        self.document: dict[str, Any] = {}
        self.document_id = ""
        self.parent_id: str | None = None
        self.is_deletion = False
        self._preconditions: Preconditions | None = None
        self._text = b""
        self._written: Written | None = None
        self._deleted_version = 0
        if self.problem is None:
            try:
                self._read(line.text, place)
            except Problem as problem:
                self.problem = problem

    @property
    def result(self) -> str:
        """Result of the line."""
        if self.problem is not None:
            return FAILED
        return Result.UNCHANGED.value if self._written is None else self._written.result.value

    @property
    def change_id(self) -> UUID | None:
        """The id of the change, if there is one."""
        return None if self._written is None else self._written.change_id

    def store(self, batch: Batch) -> None:
        """Write the document, or delete it.

        Raises:
            Problem: as ``writes.put``.
        """
        state = batch.state(self.document_id)
        if self._preconditions is not None:
            self._preconditions.check_put(state)
        if not self.is_deletion:
            self._written = batch.store(self.document_id, self.document, self._text, Operation.REPLACE, self.parent_id)
        elif state.is_live:
            self._written = batch.delete(self.document_id)

    def answer(self) -> bytes:
        """The result as a line."""
        answer: dict[str, Any] = {"line": self._number, "id": self.document_id or None, "result": self.result}
        if self.problem is not None:
            answer["problem"] = problem = problem_object(self.problem)
            if len(orjson.dumps(problem)) > _MAX_PROBLEM_BYTES:
                # The detail has the first of the errors.
                answer["problem"] = {name: problem[name] for name in problem if name not in self.problem.members}
        elif self._written is not None:
            answer["version"] = self._written.version
        return orjson.dumps(answer, option=orjson.OPT_APPEND_NEWLINE)

    def _read(self, text: bytes, place: Place) -> None:
        document = require_object(read_json(text))
        options = {name: document.pop(name) for name in _OPTIONS if name in document}
        for name, value in options.items():
            if not isinstance(value, _OPTIONS[name]) or (name == "_version" and isinstance(value, bool)):
                raise malformed(f"{name}: Send a value of another type, as the documentation of imports says.")
        declared = place.declared
        self.is_deletion = options.get("_deleted", False)
        self.document_id = options["_id"] if "_id" in options else new_id(declared, document)
        self.parent_id = options.get("_parent")
        if self.parent_id is not None and declared.parent is None:
            raise malformed(f"_parent: A document of the type {declared.name} stands below no other.")
        check_id(place.catalogue, declared, self.document_id)
        if "_version" in options:
            tags = frozenset([str(options["_version"])])
            self._preconditions = Preconditions(if_match=ETags(any=False, strong=tags, all=tags))
        if not self.is_deletion:
            self.document = document
            self._text = checked_text(declared, self.document_id, document)


def _changes(entries: "list[_Entry]") -> Iterator[str]:
    """The ids of the entries' changes, the last first."""
    return (str(entry.change_id) for entry in reversed(entries) if entry.change_id is not None)


def _transactions(lines: Iterable[Line]) -> Iterator[list[Line]]:
    """Lines by transaction; the same lines are always cut in the same places."""
    some: list[Line] = []
    length = 0
    for line in lines:
        if some and (len(some) == MAX_LINES or length + len(line.text) > MAX_TEXT_BYTES):
            yield some
            some, length = [], 0
        some.append(line)
        length += len(line.text)
    if some:
        yield some
