"""The report of reads, counted from the events of real requests in real indices."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import orjson
import pytest
from django.test import Client
from elasticsearch.helpers import bulk
from pytest_django import Settings

from audit_sink.document import bulk_lines
from contracts.query_event.reader import decode
from gateway.identity.models import Role, User
from indexing.projection import Place
from tests.support.gateway import FindEvents, elasticsearch_client

ADMIN = {"Authorization": "Octoxlabs b2N0b0FkbWlu"}
TODAY = datetime.now(UTC)
YESTERDAY = TODAY - timedelta(days=1)
PREFIX = "query-logs-reads-"
TYPE = "read-report"


@pytest.fixture
def catalogue(stack: Settings, client: Client) -> Iterator[None]:
    """A public type of this test's own, with three documents in the database and in its index."""
    del stack
    User.objects.update(role=Role.ADMIN)
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "additionalProperties": False}
    declared = {"schema": schema, "index": f"{TYPE}s", "public": True}
    made = client.put(f"/inventory-types/{TYPE}", declared, content_type="application/json", headers=ADMIN)
    assert made.status_code == 200, made.content
    elasticsearch = elasticsearch_client()
    elasticsearch.indices.create(index=f"{TYPE}s", mappings={"properties": {"name": {"type": "keyword"}}})
    for name in "abc":
        path = f"/inventory/{TYPE}/{name}"
        assert client.put(path, {"name": name}, content_type="application/json", headers=ADMIN).status_code == 201
    bulk(elasticsearch, [{"_index": f"{TYPE}s", "_id": name, "name": name} for name in "abc"], refresh=True)
    yield
    for index in (f"{TYPE}s", *elasticsearch.indices.get(index=f"{PREFIX}*")):
        elasticsearch.indices.delete(index=index)


@pytest.fixture
def read(catalogue: None, client: Client, find_events: FindEvents) -> Callable[..., Any]:
    """Reads, and indexes the event of that as the sink does, as if it had been at another time."""
    del catalogue

    def ask(path: str, at: datetime, **headers: str) -> Any:
        answer = client.get(path, headers=headers)
        (event,) = find_events(answer["X-Request-ID"])
        event["timestamp"] = at.strftime("%Y-%m-%dT%H:%M:%S.000Z")
        del event["key"], event["headers"]
        place = Place(0, 0, int(at.timestamp() * 1000))
        lines = bulk_lines(decode(orjson.dumps(event)), place, PREFIX)
        stored = elasticsearch_client().bulk(
            operations=[orjson.loads(line) for line in lines.splitlines()], refresh=True
        )
        assert not stored["errors"], stored
        return answer

    return ask


def _report(client: Client, **parameters: Any) -> Any:
    answer = client.get("/inventory-reports/reads", {"type": TYPE} | parameters, headers=ADMIN)
    assert answer.status_code == 200, answer.content
    return answer.json()


def test_each_look_at_a_document_by_an_unknown_caller_counts_also_in_a_list_and_if_nothing_has_changed(
    client: Client, read: Callable[..., Any]
) -> None:
    path = f"/inventory/{TYPE}"
    first = read(f"{path}/a", YESTERDAY)
    assert (first.status_code, first["Cache-Control"]) == (200, "private, no-cache")
    assert read(f"{path}/a", TODAY, **{"If-None-Match": first["ETag"]}).status_code == 304
    listed = read(f"{path}?q=name+IN+(a,b)", TODAY)
    assert (listed.status_code, listed.json()["count"]) == (200, 2)
    # None of these counts: a known caller's, one without an answer, and one of another document than there is.
    assert read(f"{path}/c", TODAY, **ADMIN).status_code == 200
    assert read(f"{path}/none", TODAY).status_code == 404

    day = YESTERDAY.date().isoformat()
    assert _report(client, **{"from": day}) == {
        "type": TYPE,
        "from": day,
        "to": TODAY.date().isoformat(),
        "total": 4,
        "days": [{"day": day, "reads": 1}, {"day": TODAY.date().isoformat(), "reads": 3}],
    }
    items = _report(client, group="item")
    assert items["items"] == [{"id": "a", "reads": 3}, {"id": "b", "reads": 1}]
    assert items["at_most_missing"] == 0
    assert _report(client, group="item", size=1, to=day)["items"] == [{"id": "a", "reads": 1}]


@pytest.mark.usefixtures("catalogue")
def test_a_report_has_each_of_its_days_though_nothing_was_read(client: Client) -> None:
    report = _report(client, **{"from": "2020-02-28", "to": "2020-03-01"})
    assert report["total"] == 0
    assert [each["day"] for each in report["days"]] == ["2020-02-28", "2020-02-29", "2020-03-01"]


@pytest.mark.usefixtures("catalogue")
def test_reports_are_for_administrators(client: Client) -> None:
    User.objects.create(username="reader", granted_indices=[])
    path = f"/inventory-reports/reads?type={TYPE}"
    assert client.get(path).status_code == 401
    assert client.get(path, headers={"Authorization": "Octoxlabs cmVhZGVy"}).status_code == 403
