"""Imports over HTTP."""

from types import SimpleNamespace
from typing import Any

import orjson
import pytest

from contracts.query_event.event import AuditEvent
from gateway.identity.models import User
from gateway.inventory.imports import MAX_LINES, Import
from gateway.inventory.models import Change, Document, IdempotencyKey
from tests.support.inventory import TEXT, declare
from tests.unit.gateway.inventory.conftest import Ask

NDJSON = "application/x-ndjson"


def _import(ask: Ask, type_: str, lines: Any, media_type: str = NDJSON, **headers: str) -> tuple[list[Any], Any]:
    body = lines if isinstance(lines, bytes) else b"".join(orjson.dumps(line) + b"\n" for line in lines)
    answer = ask("POST", f"/inventory/{type_}/import", body, media_type=media_type, **headers)
    assert (answer.status_code, answer["Content-Type"]) == (200, NDJSON)
    *results, last = [orjson.loads(line) for line in b"".join(answer.streaming_content).splitlines()]
    return results, last


def _product(sku: str, **members: Any) -> dict[str, Any]:
    return {"sku": sku, "name": "x", **members}


def test_each_line_has_a_result_in_order_and_the_account_closes(ask: Ask, trail: list[AuditEvent]) -> None:
    for sku in ("A-1", "A-2", "A-3"):
        ask("PUT", f"/inventory/product/{sku}", _product(sku))
    lines: list[Any] = [
        _product("A-1", price=2),
        _product("A-2"),
        _product("A-4"),
        {"sku": "A-3", "_deleted": True},
        {"sku": "A-9", "_deleted": True},
        _product("A-5", price="dear"),
        [],
        _product("A-1", price=3, _version=2),
        _product("A-1", price=4, _version=2),
        _product("A-6", _id="A-7"),
        {"name": "no key"},
        _product("A-8", _version="1"),
        _product("A-8", _parent="A-1"),
    ]
    results, last = _import(ask, "product", lines)
    assert [(each["line"], each["id"], each["result"], each.get("version")) for each in results] == [
        (1, "A-1", "replaced", 2),
        (2, "A-2", "unchanged", 1),
        (3, "A-4", "created", 1),
        (4, "A-3", "deleted", 2),
        (5, "A-9", "unchanged", None),
        (6, "A-5", "failed", None),
        (7, None, "failed", None),
        (8, "A-1", "replaced", 3),
        (9, "A-1", "failed", None),
        (10, "A-7", "failed", None),
        (11, None, "failed", None),
        (12, None, "failed", None),
        (13, "A-8", "failed", None),
    ]
    codes = [each["problem"]["code"] for each in results if each["result"] == "failed"]
    assert codes == [
        "document_invalid",
        "malformed",
        "precondition_failed",
        "document_invalid",
        "document_invalid",
        "malformed",
        "malformed",
    ]
    assert last == {"summary": {"lines": 13, "created": 1, "replaced": 2, "unchanged": 2, "deleted": 1, "failed": 7}}
    changes = Change.objects.filter(document_id="A-1").order_by("sequence")
    assert [(change.version, change.op, change.changed) for change in changes] == [
        (1, "create", [""]),
        (2, "replace", ["/price"]),
        (3, "replace", ["/price"]),
    ]
    assert Document.objects.get(document_id="A-1").version == 3
    assert trail == []


def test_an_import_that_changes_nothing_is_a_read_on_the_trail(ask: Ask, trail: list[AuditEvent]) -> None:
    _import(ask, "product", [_product("A-1")])
    _import(ask, "product", [_product("A-1"), {}])
    assert [event.event_type for event in trail] == ["inventory.read"]


def test_an_empty_import_has_a_summary(ask: Ask) -> None:
    results, last = _import(ask, "product", b"\n\n")
    assert (results, last["summary"]["lines"]) == ([], 0)


def test_lines_of_several_transactions_are_numbered_through(ask: Ask) -> None:
    count = 2 * MAX_LINES + 1
    results, last = _import(ask, "product", [_product(f"A-{number}") for number in range(count)])
    assert [each["line"] for each in results] == list(range(1, count + 1))
    assert last["summary"]["created"] == count == Document.objects.filter(type="product").count()
    assert list(Change.objects.order_by("sequence").values_list("document_id", flat=True)) == [
        f"A-{number}" for number in range(count)
    ]


def test_children_are_imported_below_their_parents(ask: Ask) -> None:
    for plan in ("p1", "p2"):
        ask("PUT", f"/inventory/plan/{plan}", {"name": plan})
    ask("PUT", "/inventory/service/s", {"name": "s"})
    lines = [
        {"_id": "c1", "_parent": "p1", "service": "s"},
        {"_id": "c2", "_parent": "p2", "service": "s"},
        {"_id": "c2", "_parent": "p1", "service": "s"},
        {"_id": "c3", "_parent": "p3", "service": "s"},
        {"_id": "c4", "_parent": "p1", "service": "t"},
        {"_id": "c5", "service": "s"},
    ]
    results, last = _import(ask, "plan-service", lines)
    assert [each["result"] for each in results] == ["created", "created", "failed", "failed", "failed", "failed"]
    assert {each["problem"]["code"] for each in results[2:]} == {"referential"}
    assert last["summary"]["failed"] == 4
    assert set(Document.objects.filter(type="plan").values_list("document_id", "tree_version")) == {
        ("p1", 2),
        ("p2", 2),
    }


def test_a_line_s_problem_is_short_however_long_its_members_are(ask: Ask) -> None:
    ask("PUT", "/inventory/service/s", {"name": "Check-up"})
    ask("PUT", "/inventory/plan/p", {"name": "Gold"})
    long = "x" * 100_000
    lines = [{"_id": "a", "_parent": long, "service": "s"}, {"_id": "a", "_parent": "p", "service": long}]
    results, _ = _import(ask, "plan-service", lines)
    assert [each["problem"]["code"] for each in results] == ["referential", "document_invalid"]
    assert max(len(each["problem"]["detail"]) for each in results) < 300


def test_an_import_deletes_what_refers_to_a_document_before_the_document(ask: Ask) -> None:
    declare("node", {"next": TEXT}, references={"/next": "node"})
    _import(ask, "node", [{"_id": "a"}, {"_id": "b", "next": "a"}, {"_id": "c", "next": "a"}])
    gone = {"_deleted": True}
    lines = [{"_id": "b"} | gone, {"_id": "a"} | gone, {"_id": "c"}, {"_id": "a"} | gone]
    results, _ = _import(ask, "node", lines)
    assert [each["result"] for each in results] == ["deleted", "failed", "replaced", "deleted"]
    assert "node/c" in results[1]["problem"]["detail"]


def test_a_line_that_fails_refers_to_nothing(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.inventory.trees.MAX_TREE_CHILDREN", 1)
    ask("PUT", "/inventory/plan/p", {"name": "p"})
    for service in ("s", "t"):
        ask("PUT", f"/inventory/service/{service}", {"name": service})
    lines = [{"_id": "c1", "_parent": "p", "service": "s"}, {"_id": "c2", "_parent": "p", "service": "t"}]
    results, _ = _import(ask, "plan-service", lines)
    assert [each["result"] for each in results] == ["created", "failed"]
    assert ask("DELETE", "/inventory/service/t", If_Match="*").status_code == 204
    assert ask("DELETE", "/inventory/service/s", If_Match="*").status_code == 409


def test_csv_is_imported_by_its_header(ask: Ask) -> None:
    body = b"sku,name,price\r\nA-1,Hammer,10.5\r\nA-2,Saw,\r\nA-3,Axe,dear\r\n"
    results, last = _import(ask, "product", body, "text/csv; charset=utf-8")
    assert [each["result"] for each in results] == ["created", "created", "failed"]
    assert last["summary"]["created"] == 2
    assert ask("GET", "/inventory/product/A-1").json() == {"sku": "A-1", "name": "Hammer", "price": 10.5}


def test_csv_that_breaks_on_the_way_ends_with_a_problem_after_what_was_written(ask: Ask) -> None:
    body = b"sku,name\n" + b"".join(b"A-%d,x\n" % number for number in range(MAX_LINES + 1)) + b'A-x,"x'
    results, last = _import(ask, "product", body, "text/csv")
    assert len(results) == MAX_LINES == Document.objects.filter(type="product").count()
    assert last["problem"]["code"] == "malformed"


def test_an_import_with_a_key_has_the_same_results_again_and_changes_nothing(ask: Ask, trail: list[AuditEvent]) -> None:
    lines = [_product(f"A-{number}") for number in range(MAX_LINES + 5)]
    first = _import(ask, "product", lines, Idempotency_Key="k1")
    assert trail == []
    assert _import(ask, "product", lines, Idempotency_Key="k1") == first
    # The rows of its changes are the events of the first, and the second has none.
    assert [event.event_type for event in trail] == ["inventory.read"]
    assert first[1]["summary"]["created"] == MAX_LINES + 5 == Change.objects.count()
    assert IdempotencyKey.objects.count() == 2


def test_an_import_that_was_cut_goes_on_where_it_was(ask: Ask) -> None:
    lines = [_product(f"A-{number}") for number in range(2 * MAX_LINES)]
    _import(ask, "product", lines[:MAX_LINES], Idempotency_Key="k1")
    results, last = _import(ask, "product", lines, Idempotency_Key="k1")
    assert [each["result"] for each in results] == ["created"] * (2 * MAX_LINES)
    assert (last["summary"]["created"], Change.objects.count()) == (2 * MAX_LINES, 2 * MAX_LINES)


@pytest.mark.parametrize(
    ("withdrawn", "code"), [({"writable_types": []}, "forbidden"), ({"is_active": False}, "unauthenticated")]
)
def test_an_import_ends_where_its_user_may_write_no_more(
    withdrawn: dict[str, Any], code: str, ask: Ask, monkeypatch: pytest.MonkeyPatch
) -> None:
    # pylint: disable-next=protected-access  # between two transactions
    write = Import._write

    def write_and_withdraw(*arguments: Any) -> Any:
        User.objects.filter(username="adapter").update(**withdrawn)
        return write(*arguments)

    monkeypatch.setattr(Import, "_write", write_and_withdraw)
    lines = [_product(f"A-{number}") for number in range(2 * MAX_LINES)]
    results, last = _import(ask, "product", lines, user="adapter")
    assert len(results) == MAX_LINES == Document.objects.filter(type="product").count()
    assert last["problem"]["code"] == code


def test_an_import_ends_before_there_is_no_room_for_its_results(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    free = [2**40, 2**40, 0]
    monkeypatch.setattr("shutil.disk_usage", lambda _folder: SimpleNamespace(free=free.pop(0)))
    lines = [_product(f"A-{number}") for number in range(3 * MAX_LINES)]
    results, last = _import(ask, "product", lines)
    assert len(results) == 2 * MAX_LINES == Document.objects.count()
    assert last["problem"]["code"] == "overloaded"
    assert "from line 1,001 on" in last["problem"]["detail"]

    free = [0]
    body = orjson.dumps(_product("B-1"))
    refused = ask("POST", "/inventory/product/import", body, media_type=NDJSON)
    assert (refused.status_code, refused.json()["code"]) == (503, "overloaded")
    assert Document.objects.count() == 2 * MAX_LINES


def test_the_result_of_a_line_is_short_however_many_errors_it_has(ask: Ask) -> None:
    names = {f"{'x' * 200}{number}": {"type": "integer"} for number in range(30)}
    declare("wide", names)
    results, _ = _import(ask, "wide", [{"_id": "a"} | dict.fromkeys(names, "no number"), {"_id": "b", "no": 1}])
    assert "errors" not in results[0]["problem"]
    assert results[0]["problem"]["code"] == "document_invalid"
    assert len(orjson.dumps(results[0])) < 2_048
    assert len(results[1]["problem"]["errors"]) == 1


def test_another_import_with_the_key_is_refused(ask: Ask) -> None:
    _import(ask, "product", [_product("A-1")], Idempotency_Key="k1")
    body = orjson.dumps(_product("A-2"))
    refused = ask("POST", "/inventory/product/import", body, media_type=NDJSON, Idempotency_Key="k1")
    assert (refused.status_code, refused.json()["code"]) == (422, "idempotency_mismatch")


@pytest.mark.parametrize(
    ("user", "path", "media_type", "status"),
    [
        (None, "product", NDJSON, 401),
        ("reader", "product", NDJSON, 403),
        ("adapter", "service", NDJSON, 403),
        ("ada", "nothing", NDJSON, 404),
        ("ada", "product", "application/json", 415),
        ("ada", "product", "text/csv", 400),
    ],
)
# pylint: disable-next=too-many-arguments,too-many-positional-arguments  # the table and the fixtures
def test_a_refused_import_is_answered_with_a_problem(
    user: str | None, path: str, media_type: str, status: int, ask: Ask, trail: list[AuditEvent]
) -> None:
    answer = ask("POST", f"/inventory/{path}/import", b'"\n', user=user, media_type=media_type)
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json")
    assert [event.event_type for event in trail] == ["inventory.denied"]
    assert Change.objects.count() == 0
