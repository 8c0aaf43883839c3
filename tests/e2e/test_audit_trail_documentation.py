"""docs/audit-trail.md's questions, asked on the running stack about what was really done there."""

import copy
import re
import uuid
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.cookiejar import CookieJar
from pathlib import Path
from typing import Any
from urllib.parse import urlencode
from urllib.request import HTTPCookieProcessor, build_opener

import orjson
import pytest
import urllib3
from confluent_kafka import Consumer, Message, Producer, TopicPartition
from elasticsearch import Elasticsearch
from elasticsearch.helpers import scan

from contracts.query_event.event import new_event_id
from local import demo
from local.inventory import authorization
from local.services import TOPIC, Services
from tests.e2e.shell import commands, run
from tests.e2e.users import make_user
from tests.support.identity import PASSWORD
from tests.support.paths import ROOT
from tests.support.waiting import eventually

_PAGE = (ROOT / "docs/audit-trail.md").read_text(encoding="utf-8")
_QUESTIONS: dict[str, str] = dict(re.findall(r"^### (.*?)\n(.*?)(?=^### |\Z)", _PAGE, re.MULTILINE | re.DOTALL))
_AUDITOR = "octoAuditor"
_PATIENCE_SECONDS = 30


@dataclass(frozen=True, slots=True)
class Happened:  # pylint: disable=too-many-instance-attributes  # an event for each question
    """The searches and changes that were made, by the ids of their events."""

    operator: str
    searcher: str
    search: str
    stream: str
    denied: str
    failed_login: str
    yesterday: str
    no_event: tuple[int, int]
    """Partition and offset of a record that is no event."""


def _headers(user: str, **more: str) -> dict[str, str]:
    return {"Authorization": authorization(user), **more}


def _post(services: Services, path: str, body: Any, headers: dict[str, str]) -> urllib3.BaseHTTPResponse:
    return urllib3.request("POST", f"{services.gateway_url}{path}", json=body, headers=headers, timeout=30.0)


def _change_in_admin(services: Services, operator: str, searcher: str) -> None:
    """Let an operator make a searcher an auditor, as a browser would."""
    jar = CookieJar()
    browser = build_opener(HTTPCookieProcessor(jar))

    def read(path: str, data: bytes | None = None) -> str:
        page: str = browser.open(services.gateway_url + path, data).read().decode()
        for cookie in jar:
            # Browsers take this machine for safe without TLS (https://www.w3.org/TR/secure-contexts/).
            cookie.secure = False
        return page

    def send(path: str, **form: str) -> str:
        page = read(path)
        kept = dict(re.findall(r'<input type="hidden" name="([^"]+)" value="([^"]*)"', page))
        return read(path, urlencode(kept | form).encode())

    send("/admin/login/?next=/admin/", username=operator, password=PASSWORD)
    found = re.search(r"/admin/identity/user/(\d+)/change/", read(f"/admin/identity/user/?q={searcher}"))
    assert found
    form = {"username": searcher, "role": "auditor", "is_active": "on", "granted_indices": '["*"]'}
    assert "<title>Select user to change" in send(found[0], **form)


def _wait_for_change(services: Services, operator: str) -> None:
    url = f"{services.servers.elasticsearch.url}/query-logs-*/_count?q=user.name:{operator}+AND+_exists_:sluice.query"
    eventually(lambda: urllib3.request("GET", url).json().get("count") == 1, "the change is in the audit index")


def _record_of(services: Services, event_id: str) -> dict[str, Any]:
    """An event as it is in the topic, where its document says."""
    kafka = demo.find_document(services, event_id)["_source"]["sluice"]["kafka"]
    consumer = Consumer({"bootstrap.servers": services.servers.kafka.bootstrap_servers, "group.id": "page"})
    try:
        consumer.assign([TopicPartition(TOPIC, kafka["partition"], kafka["offset"])])
        (message,) = consumer.consume(1, _PATIENCE_SECONDS)
    finally:
        consumer.close()
    event: dict[str, Any] = orjson.loads(message.value() or b"")
    assert event["event_id"] == event_id
    return event


def _produce(services: Services, *values: bytes) -> tuple[int, int]:
    """Put records into the topic, one behind the other; the partition and the offset of the first."""
    written: list[Message] = []
    producer = Producer({"bootstrap.servers": services.servers.kafka.bootstrap_servers})
    for value in values:
        producer.produce(TOPIC, value, partition=0, on_delivery=lambda error, message: written.append(message))
    assert producer.flush(_PATIENCE_SECONDS) == 0
    offset = written[0].offset()
    assert offset is not None
    return 0, offset


@pytest.fixture(scope="module", name="happened")
def fixture_happened(services: Services) -> Iterator[Happened]:
    """Searches, a stream, refusals, a change and a look at the trail, each of whose events has its document."""
    make_user(services, _AUDITOR, "--role", "auditor")
    operator = make_user(services, f"operator-{uuid.uuid4().hex[:8]}", "--role", "admin")
    searcher = make_user(services, f"searcher-{uuid.uuid4().hex[:8]}")
    named = {"query": "hostname = OCTOXLABS01", "case_insensitive": True}
    search = _post(services, "/search", named, _headers(searcher)).json()["query_id"]
    accepted = _headers(searcher, Accept="application/x-ndjson")
    stream = _post(services, "/search", {"query": "Hostname = octoxlabs*"}, accepted).headers["X-Query-ID"]
    denied = _post(services, "/search", {"query": "", "index": "query-logs-*"}, _headers(searcher)).json()["query_id"]
    wrong = {"username": searcher, "password": "not this one"}
    failed_login = _post(services, "/auth/token", wrong, {}).json()["query_id"]
    _change_in_admin(services, operator, searcher)
    event = _record_of(services, search)
    earlier = copy.deepcopy(event) | {
        "event_id": new_event_id(),
        "timestamp": f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}T12:00:00.000Z",
    }
    # A record that is no event, with one behind it whose document shows the gap.
    no_event = _produce(services, b"no event", orjson.dumps(earlier))
    for each in (search, stream, denied, failed_login, earlier["event_id"]):
        demo.find_document(services, each)
    look = _post(services, "/search", {"query": "", "index": "query-logs-*"}, _headers(_AUDITOR)).json()["query_id"]
    demo.find_document(services, look)
    _wait_for_change(services, operator)
    yield Happened(operator, searcher, search, stream, denied, failed_login, earlier["event_id"], no_event)


def _ask(services: Services, question: str, command: int = 0) -> str:
    """Run a command of the page."""
    urllib3.request("POST", f"{services.servers.elasticsearch.url}/query-logs-*/_refresh")
    text = commands(_QUESTIONS[question])[command].replace("curl -s", "curl -sS --fail-with-body")
    result = run(text, services)
    assert result.returncode == 0, (text, result.stdout, result.stderr)
    return result.stdout


@pytest.fixture(name="found")
def fixture_found(services: Services, happened: Happened) -> Callable[..., list[dict[str, Any]]]:
    """The events that a command of a question finds, in full, by the members that it shows."""
    del happened

    def found(question: str, command: int = 0) -> list[dict[str, Any]]:
        answer = orjson.loads(_ask(services, question, command))
        assert answer["count"] == len(answer["results"]) or len(answer["results"]) == 20
        results: list[dict[str, Any]] = answer["results"]
        return results

    return found


Found = Callable[..., list[dict[str, Any]]]


def test_who_searched_for_what_yesterday(found: Found, services: Services, happened: Happened) -> None:
    yesterday = f"{datetime.now(UTC) - timedelta(days=1):%Y-%m-%d}"
    events = found("Who searched for what yesterday?")
    assert all(event["@timestamp"].startswith(yesterday) for event in events)
    (ours,) = [event for event in events if event["user"]["name"] == happened.searcher]
    assert ours["sluice"] == {"query": "hostname = OCTOXLABS01", "index": "devices", "hits": 1}
    assert "sluice.query" in _ask(services, "Who searched for what yesterday?", 1)


def test_what_one_person_did_in_a_week(services: Services, happened: Happened) -> None:
    command = commands(_QUESTIONS["What did one person do in a week?"])[0]
    mine = run(command.replace("user.name = octoAdmin", f"user.name = {happened.searcher}"), services).stdout
    events = [orjson.loads(line)["event"]["id"] for line in mine.splitlines()]
    assert events == [happened.yesterday, happened.search, happened.stream, happened.denied]


def test_who_was_refused(found: Found, happened: Happened) -> None:
    events = found("Who was refused?")
    assert any(
        event["user"].get("name") == happened.searcher and event["error"]["code"] == "forbidden" for event in events
    )
    assert any(event["event"]["action"] == "auth.failed" for event in events)


def test_from_which_addresses_log_ins_fail(services: Services, happened: Happened) -> None:
    del happened
    lines = _ask(services, "From which addresses do log-ins fail?").splitlines()
    assert any(re.fullmatch(r' *[1-9]\d* \{"source":\{"ip":"127\.0\.0\.1"\}\}', line) for line in lines), lines


def test_who_saw_this_host(found: Found, happened: Happened) -> None:
    events = [event for event in found("Who saw this host?") if event["user"]["name"] == happened.searcher]
    assert [event["sluice"] for event in events] == [{"query": "hostname = OCTOXLABS01", "hits": 1}] * 2


def test_who_changed_whose_rights(found: Found, happened: Happened) -> None:
    changes = {event["user"]["name"]: event["sluice"]["query"] for event in found("Who changed whose rights?")}
    assert changes[happened.operator] == f'change user "{happened.searcher}": role "searcher" to "auditor"'


def test_which_searches_read_most(found: Found, happened: Happened) -> None:
    hits = [event["sluice"]["hits"] for event in found("Which searches read most?")]
    assert hits == sorted(hits, reverse=True)
    streams = [event for event in found("Which searches read most?", 1) if event["user"]["name"] == happened.searcher]
    assert [event["sluice"]["query"] for event in streams] == ["Hostname = octoxlabs*"]


def test_what_happened_in_a_request(found: Found, services: Services) -> None:
    question = "What happened in this request?"
    asked = orjson.loads(_ask(services, question))["query_id"]
    demo.find_document(services, asked)
    assert asked in [event["event"]["id"] for event in found(question, 1)]


def test_whether_anything_is_missing(services: Services, happened: Happened) -> None:
    gaps = re.findall(r"^partition (\d+) offsets (\d+) to (\d+)$", _ask(services, "Is anything missing?"), re.MULTILINE)
    missing = {
        (int(partition), offset) for partition, first, last in gaps for offset in range(int(first), int(last) + 1)
    }
    # The cluster may have documents of other tests' topics, which cannot be told from those of this one.
    present = _places(services, "query-logs-*")
    ends = {partition: max(at for each, at in present if each == partition) for partition, _ in present}
    assert missing == {(each, at) for each, end in ends.items() for at in range(end)} - present
    ours = _places(services, "query-logs-2*")
    assert happened.no_event not in ours and (0, happened.no_event[1] + 1) in ours


def _places(services: Services, indices: str) -> set[tuple[int, int]]:
    """Partition and offset of the record of every document."""
    with Elasticsearch(services.servers.elasticsearch.url) as client:
        places = (hit["_source"]["sluice"]["kafka"] for hit in scan(client, index=indices))
        return {(place["partition"], place["offset"]) for place in places}


def test_who_uses_the_unsigned_header(services: Services, happened: Happened) -> None:
    lines = _ask(services, "Who uses the unsigned header?").splitlines()
    assert any(re.fullmatch(rf' *4 \{{"user":\{{"name":"{happened.searcher}"\}}\}}', line) for line in lines), lines
    assert not [line for line in lines if happened.operator in line]


def test_who_looked_at_the_trail(found: Found, happened: Happened) -> None:
    looks = {(event["user"]["name"], event["event"]["action"]) for event in found("Who looked at the trail?")}
    assert {(happened.searcher, "query.denied"), (_AUDITOR, "query.executed")} <= looks


def test_every_question_has_its_test() -> None:
    tests = re.findall(r"^def test_", Path(__file__).read_text(encoding="utf-8"), re.MULTILINE)
    assert len(tests) - 1 == len(_QUESTIONS) >= 10
