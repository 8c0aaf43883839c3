"""Writers of the inventory: each request has a key, and is sent until a gateway has answered it.

Each writer has documents of its own, of which it knows every version, and shares some with the others. So a write that
is lost, or is done twice, is a version or a status that it does not expect.
"""

import threading
import time
from dataclasses import dataclass, field
from itertools import count, cycle
from random import Random
from typing import Any
from uuid import uuid4

import orjson
import urllib3

from tests.chaos.background import Background

TYPE, PARENT, CHILD = "thing", "box", "part"
SHARED = 5
_WRITERS = 4
_OWN = 15
_LINES = 40
_ANSWER_SECONDS = 120.0
_PAUSE_SECONDS = 0.1
_TRY_AGAIN = 429
_FAILED = 500
_ABSENT = 404
_REPLACED, _CREATED, _DELETED, _OVERTAKEN = 200, 201, 204, 412

Name = tuple[str, str]
"""Type and id of a document."""


@dataclass
class Ledger:
    """Knowledge of the writers: versions and contents of their own documents, and the versions of shared ones.

    Attributes:
        own: version and content by document; None: it is deleted.
        shared: the versions that were answered, by id.
        answered: how many writes were.
        again: how many requests were sent more than once.
    """

    own: dict[Name, tuple[int, Any]] = field(default_factory=dict)
    shared: dict[str, list[int]] = field(default_factory=dict)
    answered: int = 0
    again: int = 0
    _complaints: list[str] = field(default_factory=list)
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def version(self, name: Name) -> int:
        """The version of an own document; 0 if it never was."""
        return self.own.get(name, (0, None))[0]

    def is_live(self, name: Name) -> bool:
        """Whether an own document is there."""
        return self.own.get(name, (0, None))[1] is not None

    def wrote(self, name: Name, version: int, content: Any) -> None:
        """A write to an own document was answered, and has made this version."""
        with self._lock:
            expected = self.version(name) + 1
            if version != expected:
                self._complaints.append(f"{name}: a write was answered with version {version}, not {expected}")
            self.own[name] = (version, content)
            self.answered += 1

    def wrote_shared(self, document_id: str, version: int) -> None:
        """A write to a shared document was answered, and has made this version."""
        with self._lock:
            self.shared.setdefault(document_id, []).append(version)
            self.answered += 1

    def sent_again(self) -> None:
        """A request was sent once more."""
        with self._lock:
            self.again += 1

    def complain(self, complaint: str) -> None:
        """Something was answered that should not be."""
        with self._lock:
            self._complaints.append(complaint)

    def complaints(self, stored: dict[Name, tuple[int, Any]]) -> list[str]:
        """Faults, before or now.

        Args:
            stored: what the database has, by document.
        """
        found = list(self._complaints)
        for name, known in sorted(self.own.items()):
            if stored.get(name) != known:
                found.append(f"{name}: the database has {stored.get(name)}, and the writer was answered {known}")
        for document_id, versions in sorted(self.shared.items()):
            if len(set(versions)) != len(versions):
                found.append(f"{document_id}: two writers were answered with one version")
            newest = stored.get((TYPE, document_id), (0, None))[0]
            if max(versions) > newest:
                found.append(f"{document_id}: version {max(versions)} was answered, and the database has {newest}")
        if not self.answered:
            found.append("nothing was written")
        return found


class Writers(Background):  # pylint: disable=too-few-public-methods  # it is a context
    """Writers in threads of their own, while the context lasts.

    Args:
        urls: of the gateways.
        headers: of each request.
        seed: of what is written.
        ledger: is told of everything.
    """

    def __init__(self, urls: list[str], headers: dict[str, str], seed: int, ledger: Ledger) -> None:
        super().__init__()
        self._urls = urls
        self._headers = headers
        self._seed = seed
        self._ledger = ledger

    def _run(self) -> None:
        threads = [threading.Thread(target=self._write, args=(number,)) for number in range(_WRITERS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def _write(self, number: int) -> None:
        writer = _Writer(number, self._urls, self._headers, Random(self._seed + number), self._ledger)
        try:
            while not self._ended.is_set():
                writer.one()
        except AssertionError as error:
            self._ledger.complain(f"writer {number}: {error}")


class _Writer:  # pylint: disable=too-few-public-methods  # it writes
    def __init__(self, number: int, urls: list[str], headers: dict[str, str], chance: Random, ledger: Ledger) -> None:
        self._number = number
        self._gateways = cycle(urls[number % len(urls) :] + urls[: number % len(urls)])
        self._headers = headers
        self._chance = chance
        self._ledger = ledger
        self._pool = urllib3.PoolManager(retries=False, timeout=5.0)
        self._values = count()

    def one(self) -> None:
        """Write one document, or import some."""
        self._chance.choice([self._own, self._own, self._own, self._child, self._child, self._shared, self._import])()

    def _own(self) -> None:
        document_id = f"w{self._number}-{self._chance.randrange(_OWN)}"
        self._document((TYPE, document_id), f"/inventory/{TYPE}/{document_id}")

    def _child(self) -> None:
        parent = (PARENT, f"b{self._number}")
        path = f"/inventory/{PARENT}/{parent[1]}"
        if not self._ledger.is_live(parent):
            self._document(parent, path)
            return
        document_id = f"p{self._number}-{self._chance.randrange(_OWN)}"
        self._document((CHILD, document_id), f"{path}/{CHILD}/{document_id}")

    def _document(self, name: Name, path: str) -> None:
        content: Any = self._content()
        tag = {"If-Match": f'"{self._ledger.version(name)}"'}
        if not self._ledger.is_live(name):
            answer = self._send("PUT", path, content)
            self._expect(name, answer, _CREATED)
        elif self._chance.random() < 0.2 and name[0] != PARENT:
            answer = self._send("DELETE", path, None, **tag)
            self._expect(name, answer, _DELETED)
            self._ledger.wrote(name, self._ledger.version(name) + 1, None)
            return
        else:
            answer = self._send("PUT", path, content, **tag)
            self._expect(name, answer, _REPLACED)
        self._ledger.wrote(name, _version(answer), content)

    def _shared(self) -> None:
        document_id = f"shared-{self._chance.randrange(SHARED)}"
        path = f"/inventory/{TYPE}/{document_id}"
        read = self._send("GET", path, None)
        tag = {"If-None-Match": "*"} if read.status == _ABSENT else {"If-Match": str(read.headers["ETag"])}
        answer = self._send("PUT", path, self._content(), **tag)
        if answer.status in (_REPLACED, _CREATED):
            self._ledger.wrote_shared(document_id, _version(answer))
        else:
            self._expect((TYPE, document_id), answer, _OVERTAKEN)

    def _import(self) -> None:
        names = [f"i{self._number}-{self._chance.randrange(200)}" for _ in range(_LINES)]
        lines = [{"_id": name, **self._content()} for name in dict.fromkeys(names)]
        body = b"\n".join(orjson.dumps(line) for line in lines)
        answer = self._send("POST", f"/inventory/{TYPE}/import", body, **{"Content-Type": "application/x-ndjson"})
        self._expect((TYPE, "import"), answer, _REPLACED)
        *results, _summary = [orjson.loads(line) for line in answer.data.splitlines()]
        for line, result in zip(lines, results, strict=True):
            content = {name: value for name, value in line.items() if name != "_id"}
            self._ledger.wrote((TYPE, str(line["_id"])), result.get("version", 0), content)

    def _content(self) -> dict[str, Any]:
        return {"name": f"writer {self._number}", "size": next(self._values)}

    def _expect(self, name: Name, answer: Any, status: int) -> None:
        assert answer.status == status, f"{name}: {answer.status} instead of {status}: {answer.data[:500]!r}"

    def _send(self, method: str, path: str, body: Any, **headers: str) -> Any:
        """Send a request under one key, to one gateway after the other, until it is answered."""
        key = {} if method == "GET" else {"Idempotency-Key": str(uuid4())}
        data = orjson.dumps(body) if isinstance(body, dict) else body
        deadline = time.monotonic() + _ANSWER_SECONDS
        while True:
            try:
                url = f"{next(self._gateways)}{path}"
                answer = self._pool.request(method, url, body=data, headers=self._headers | key | headers)
                if answer.status < _FAILED and answer.status != _TRY_AGAIN and _is_whole(path, answer.data):
                    return answer
            except urllib3.exceptions.HTTPError:
                pass
            assert time.monotonic() < deadline, f"{method} {path} was not answered within {_ANSWER_SECONDS:g} s"
            self._ledger.sent_again()
            time.sleep(_PAUSE_SECONDS)


def _is_whole(path: str, answer: bytes) -> bool:
    """Whether an import has come to its end: it says so in its last line."""
    return not path.endswith("/import") or answer.rstrip().rpartition(b"\n")[2].startswith(b'{"summary"')


def _version(answer: Any) -> int:
    return int(answer.headers["ETag"].strip('"'))
