"""The inventory's API."""

from typing import Any

import pytest

from contracts.query_event.event import AuditEvent, EventTarget
from gateway.identity.models import User
from gateway.inventory.models import Change, Document, IndexState, InventoryType, RelayState
from tests.unit.gateway.inventory.conftest import Ask

HAMMER = {"sku": "A-1", "name": "Hammer", "price": 10.5}
PATCH = "application/merge-patch+json"


def _code(response: Any) -> tuple[int, str]:
    assert response["Content-Type"] == "application/problem+json"
    return response.status_code, response.json()["code"]


def _types(trail: list[AuditEvent]) -> list[str]:
    return [event.event_type for event in trail]


def test_a_document_is_created_read_changed_and_deleted(ask: Ask) -> None:
    created = ask("PUT", "/inventory/product/A-1", HAMMER)
    assert (created.status_code, created.json(), created["ETag"]) == (201, HAMMER, '"1"')
    assert created["Location"] == "/inventory/product/A-1"
    read = ask("GET", "/inventory/product/A-1")
    assert (read.status_code, read.json(), read["ETag"]) == (200, HAMMER, '"1"')
    assert read["Content-Type"] == "application/json"
    patched = ask("PATCH", "/inventory/product/A-1", {"price": None}, media_type=PATCH, If_Match='"1"')
    assert (patched.status_code, patched.json(), patched["ETag"]) == (200, {"sku": "A-1", "name": "Hammer"}, '"2"')
    replaced = ask("PUT", "/inventory/product/A-1", HAMMER, If_Match='"2"')
    assert (replaced.status_code, replaced["ETag"]) == (200, '"3"')
    deleted = ask("DELETE", "/inventory/product/A-1", If_Match='"3"')
    assert (deleted.status_code, deleted.content) == (204, b"")
    assert _code(ask("GET", "/inventory/product/A-1")) == (410, "gone")
    assert ask("PUT", "/inventory/product/A-1", HAMMER)["ETag"] == '"5"'


def test_a_writer_who_has_not_read_the_current_version_is_told_it(ask: Ask) -> None:
    ask("PUT", "/inventory/product/A-1", HAMMER)
    assert _code(ask("PUT", "/inventory/product/A-1", HAMMER)) == (428, "precondition_required")
    other = ask("PUT", "/inventory/product/A-1", HAMMER, If_Match='"4"')
    assert (_code(other), other["ETag"]) == ((412, "precondition_failed"), '"1"')
    assert _code(ask("PUT", "/inventory/product/A-1", HAMMER, If_None_Match="*")) == (412, "precondition_failed")
    assert _code(ask("PUT", "/inventory/product/A-1", HAMMER, If_Match="1")) == (400, "malformed")
    assert _code(ask("DELETE", "/inventory/product/A-2", If_Match='"1"')) == (404, "not_found")


def test_a_reader_who_has_the_version_gets_it_no_second_time(ask: Ask) -> None:
    ask("PUT", "/inventory/product/A-1", HAMMER)
    again = ask("GET", "/inventory/product/A-1", If_None_Match='"1"')
    assert (again.status_code, again.content, again["ETag"]) == (304, b"", '"1"')
    assert ask("GET", "/inventory/product/A-1", If_None_Match='"2"').status_code == 200
    head = ask("HEAD", "/inventory/product/A-1")
    assert (head.status_code, head["ETag"], head.content) == (200, '"1"', b"")


def test_a_new_document_has_its_key_or_a_new_id(ask: Ask) -> None:
    assert ask("POST", "/inventory/product", HAMMER)["Location"] == "/inventory/product/A-1"
    assert _code(ask("POST", "/inventory/product", HAMMER)) == (412, "precondition_failed")
    assert _code(ask("POST", "/inventory/product", {"name": "x"})) == (422, "document_invalid")
    created = ask("POST", "/inventory/service", {"name": "Check-up"})
    assert created.status_code == 201
    assert ask("GET", created["Location"]).json() == {"name": "Check-up"}


def test_a_change_that_changes_nothing_has_the_same_etag_and_is_a_read_on_the_trail(
    ask: Ask, trail: list[AuditEvent]
) -> None:
    ask("PUT", "/inventory/product/A-1", HAMMER)
    assert _types(trail) == []
    same = ask("PUT", "/inventory/product/A-1", HAMMER, If_Match='"1"')
    assert (same.status_code, same["ETag"], Change.objects.count()) == (200, '"1"', 1)
    assert _types(trail) == ["inventory.read"]


def test_an_answer_without_the_document_is_given_where_that_is_preferred(ask: Ask) -> None:
    created = ask("PUT", "/inventory/product/A-1", HAMMER, Prefer="return=minimal")
    assert (created.status_code, created.content, created["ETag"]) == (201, b"", '"1"')
    assert created["Preference-Applied"] == "return=minimal"
    changed = ask("PUT", "/inventory/product/A-1", HAMMER | {"price": 1}, Prefer="return=minimal", If_Match="*")
    assert (changed.status_code, changed.content, changed["ETag"]) == (204, b"", '"2"')


def test_the_history_has_every_version_and_any_can_be_restored(ask: Ask) -> None:
    ask("PUT", "/inventory/product/A-1", HAMMER)
    ask("PATCH", "/inventory/product/A-1", {"price": 12}, media_type=PATCH, If_Match="*")
    ask("DELETE", "/inventory/product/A-1", If_Match="*")
    versions = ask("GET", "/inventory/product/A-1/history").json()["versions"]
    assert [(each["version"], each["op"], each["actor"], each["changed"]) for each in versions] == [
        (3, "delete", "ada", [""]),
        (2, "patch", "ada", ["/price"]),
        (1, "create", "ada", [""]),
    ]
    second = ask("GET", "/inventory/product/A-1/history/2").json()
    assert (second["document"], second["op"]) == (HAMMER | {"price": 12}, "patch")
    assert ask("GET", "/inventory/product/A-1/history/3").json()["document"] is None
    assert _code(ask("GET", "/inventory/product/A-1/history/4")) == (404, "not_found")
    assert _code(ask("GET", "/inventory/product/A-2/history")) == (404, "not_found")
    restored = ask("POST", "/inventory/product/A-1/restore", {"version": 1})
    assert (restored.status_code, restored.json(), restored["ETag"]) == (201, HAMMER, '"4"')


def test_a_long_history_has_pages(ask: Ask) -> None:
    ask("PUT", "/inventory/product/A-1", HAMMER)
    for price in range(101):
        ask("PATCH", "/inventory/product/A-1", {"price": price}, media_type=PATCH, If_Match="*")
    first = ask("GET", "/inventory/product/A-1/history").json()
    assert [each["version"] for each in first["versions"]] == list(range(102, 2, -1))
    last = ask("GET", f"/inventory/product/A-1/history?before={first['next']}").json()
    assert ([each["version"] for each in last["versions"]], "next" in last) == ([2, 1], False)


def test_a_tree_is_written_and_read_below_its_parent(ask: Ask) -> None:
    assert ask("POST", "/inventory/service", {"name": "Check-up"}).status_code == 201
    ask("PUT", "/inventory/service/s", {"name": "Check-up"})
    ask("PUT", "/inventory/plan/p", {"name": "Gold"})
    created = ask("PUT", "/inventory/plan/p/plan-service/ps", {"service": "s", "copay": 5})
    assert (created.status_code, created["Location"]) == (201, "/inventory/plan-service/ps")
    assert ask("POST", "/inventory/plan/p/member-cost-share", {"copay": 1}).status_code == 201
    assert ask("GET", "/inventory/plan/p/plan-service/ps").json() == {"service": "s", "copay": 5}
    assert ask("GET", "/inventory/plan/p/plan-service").json() == {
        "results": [{"id": "ps", "version": 1, "document": {"service": "s", "copay": 5}}]
    }
    ask("PATCH", "/inventory/plan/p/plan-service/ps", {"copay": 6}, media_type=PATCH, If_Match='"1"')
    assert _code(ask("DELETE", "/inventory/plan/p", If_Match="*")) == (409, "referential")
    assert ask("DELETE", "/inventory/plan/p/plan-service/ps", If_Match='"2"').status_code == 204
    assert ask("GET", "/inventory/plan/p/plan-service").json() == {"results": []}


@pytest.mark.parametrize(
    "path",
    [
        "/inventory/plan/p/product/A-1",
        "/inventory/plan/q/plan-service/ps",
        "/inventory/nothing/p",
        "/inventory/plan/p/nothing",
        "/inventory/plan/q/plan-service",
        "/inventory-types/nothing",
    ],
)
def test_a_path_that_leads_nowhere_is_not_found(path: str, ask: Ask) -> None:
    ask("PUT", "/inventory/service/s", {"name": "Check-up"})
    ask("PUT", "/inventory/plan/p", {"name": "Gold"})
    ask("PUT", "/inventory/plan/p/plan-service/ps", {"service": "s"})
    assert _code(ask("GET", path)) == (404, "not_found")


def test_many_children_have_pages(ask: Ask) -> None:
    ask("PUT", "/inventory/plan/p", {"name": "Gold"})
    for number in range(101):
        ask("PUT", f"/inventory/plan/p/member-cost-share/m{number:03}", {"copay": number})
    first = ask("GET", "/inventory/plan/p/member-cost-share").json()
    assert (len(first["results"]), first["next"]) == (100, "m099")
    rest = ask("GET", "/inventory/plan/p/member-cost-share?after=m099").json()
    assert ([each["id"] for each in rest["results"]], "next" in rest) == (["m100"], False)


@pytest.mark.parametrize(
    ("user", "method", "path", "status"),
    [
        ("adapter", "PUT", "/inventory/product/A-1", 201),
        ("adapter", "PUT", "/inventory/service/s", 403),
        ("adapter", "PUT", "/inventory/nothing/s", 403),
        ("adapter", "GET", "/inventory/plan/p", 404),
        ("adapter", "GET", "/inventory/service/s", 403),
        ("adapter", "PUT", "/inventory-types/product", 403),
        ("reader", "PUT", "/inventory/product/A-1", 403),
        ("reader", "GET", "/inventory/product/A-1", 404),
        ("reader", "GET", "/inventory/plan/p", 403),
        ("reader", "GET", "/inventory/plan/p/history", 403),
        ("reader", "GET", "/inventory/nothing/p", 403),
        ("reader", "GET", "/inventory-types/plan", 403),
        (None, "PUT", "/inventory/product/A-1", 401),
        (None, "POST", "/inventory/product", 401),
        (None, "DELETE", "/inventory/product/A-1", 401),
        (None, "GET", "/inventory/product/A-1", 404),
        (None, "GET", "/inventory/product/A-1/history", 401),
        (None, "POST", "/inventory/product/A-1/restore", 401),
        (None, "GET", "/inventory/plan/p", 401),
        (None, "GET", "/inventory/nothing/p", 401),
        (None, "GET", "/inventory-types", 401),
        (None, "GET", "/inventory-types/product", 401),
    ],
)
def test_each_does_what_they_may(user: str | None, method: str, path: str, status: int, ask: Ask) -> None:
    assert ask(method, path, HAMMER if method == "PUT" else None, user=user).status_code == status


def test_a_reader_of_the_index_reads_the_type(ask: Ask, settings: Any) -> None:
    ask("PUT", "/inventory/plan/p", {"name": "Gold"})
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"search_indices": ("plans",)})
    ask("PUT", "/inventory/plan/p", {"name": "Gold"})
    User.objects.filter(username="reader").update(granted_indices=["plans"])
    assert ask("GET", "/inventory/plan/p", user="reader").status_code == 200
    assert [each["name"] for each in ask("GET", "/inventory-types", user="reader").json()["types"]] == [
        "plan",
        "product",
    ]


def test_who_wrote_a_public_document_is_shown_to_those_alone_who_were_granted_its_type(ask: Ask) -> None:
    ask("PUT", "/inventory/product/A-1", HAMMER)
    for path in ("/inventory/product/A-1/history", "/inventory/product/A-1/history/1"):
        assert _code(ask("GET", path, user="reader")) == (403, "forbidden")
        assert _code(ask("GET", path, user=None)) == (401, "unauthenticated")
        assert ask("GET", path, user="adapter").status_code == 200


def test_a_look_at_a_public_document_by_anybody_is_an_event_and_asked_for_each_time(
    ask: Ask, trail: list[AuditEvent]
) -> None:
    ask("PUT", "/inventory/product/A-1", HAMMER)
    read = ask("GET", "/inventory/product/A-1", user=None)
    assert (read.status_code, read["Cache-Control"]) == (200, "private, no-cache")
    assert ask("GET", "/inventory/product/A-1", user=None, If_None_Match='"1"').status_code == 304
    assert [(each.event_type, each.user_id, each.data.status, each.data.target) for each in trail] == [
        ("inventory.read", None, 200, EventTarget("product", "A-1", 1)),
        ("inventory.read", None, 304, EventTarget("product", "A-1", 1)),
    ]


def test_a_refused_write_is_an_event_and_a_change_is_its_row(ask: Ask, trail: list[AuditEvent]) -> None:
    ask("PUT", "/inventory/product/A-1", HAMMER, user="adapter")
    assert trail == []
    refused = ask("PUT", "/inventory/product/A-1", HAMMER, user="adapter")
    (event,) = trail
    assert (event.event_type, event.user_id, event.data.target) == (
        "inventory.denied",
        "adapter",
        EventTarget("product", "A-1"),
    )
    assert refused.json()["query_id"] == event.event_id
    change = Change.objects.get()
    assert (change.actor, change.event_metadata["auth_scheme"]) == ("adapter", "octoxlabs-unsigned")


@pytest.mark.parametrize(
    ("body", "status", "code"),
    [
        (None, 400, "malformed"),
        (b"", 400, "malformed"),
        (b"[]", 400, "malformed"),
        (b"null", 400, "malformed"),
        (b'{"sku": "A-1", "name": "a", "name": "b"}', 400, "malformed"),
        (b'{"sku": "A-1", "name": NaN}', 400, "malformed"),
        (b'{"sku": "A-1", "name": "\\ud800"}', 400, "malformed"),
        (b'{"sku": "A-1", "name": "a", "price": 1e400}', 400, "malformed"),
        (b'{"sku": "A-1", "name": "a", "price": ' + b"1" * 400 + b"}", 400, "malformed"),
        (b'{"sku": "A-1", "name": "' + b"a" * 262_144 + b'"}', 413, "too_large"),
        ({"sku": "A-1", "name": "a", "price": -1}, 422, "document_invalid"),
    ],
)
def test_a_hostile_body_is_refused(body: Any, status: int, code: str, ask: Ask) -> None:
    assert _code(ask("PUT", "/inventory/product/A-1", body)) == (status, code)
    assert Change.objects.count() == 0


def test_a_body_of_another_type_is_unsupported(ask: Ask) -> None:
    assert _code(ask("PUT", "/inventory/product/A-1", b"sku: A-1", media_type="text/yaml")) == (
        415,
        "unsupported_media_type",
    )


def test_a_patch_replaces_nothing_and_a_document_is_no_patch(ask: Ask) -> None:
    ask("PUT", "/inventory/product/A-1", {"sku": "A-1", "name": "a", "price": 5})
    for method, media_type in (("PUT", "application/merge-patch+json"), ("PATCH", "application/json")):
        body = {"sku": "A-1", "name": "b"}
        refused = ask(method, "/inventory/product/A-1", body, If_Match="*", media_type=media_type)
        assert _code(refused) == (415, "unsupported_media_type")
    assert Change.objects.count() == 1


def test_a_type_is_declared_shown_and_changed(ask: Ask, trail: list[AuditEvent]) -> None:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "additionalProperties": False}
    declared = ask("PUT", "/inventory-types/book", {"schema": schema, "index": "books"})
    assert (declared.status_code, declared.json()["outcome"]) == (200, "created")
    assert [(each.event_type, each.data.query) for each in trail] == [
        ("admin.changed", "declare inventory type book: schema_version 1")
    ]
    shown = ask("GET", "/inventory-types/book").json()
    assert (shown["schema_version"], shown["physical_index"], shown["definition"]["schema"]) == (
        1,
        "books-000001",
        schema,
    )
    assert ask("PUT", "/inventory/book/b1", {"name": "Dune"}).status_code == 201
    schema = schema | {"properties": {"name": {"type": "integer"}}}
    planned = ask("PUT", "/inventory-types/book?dry_run=true", {"schema": schema, "index": "books"}).json()
    assert (planned["rebuild"], planned["misfits"], planned["first_misfits"][0]["id"]) == (True, 1, "b1")
    refused = ask("PUT", "/inventory-types/book", {"schema": schema, "index": "books"})
    assert (_code(refused), refused.json()["documents"][0]["id"]) == ((409, "schema_incompatible"), "b1")
    accepted = ask("PUT", "/inventory-types/book", {"schema": schema, "index": "books", "accept_existing": True})
    assert accepted.json()["schema_version"] == 2
    assert InventoryType.objects.get(name="book").building_index == "books-000002"


def test_a_declaration_changes_the_version_that_was_read(ask: Ask) -> None:
    def declare(colour: str, **headers: str) -> Any:
        properties = {"name": {"type": "string"}, colour: {"type": "string"}}
        schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return ask("PUT", "/inventory-types/book", {"schema": schema, "index": "books"}, **headers)

    assert _code(declare("red", If_Match='"1"')) == (412, "precondition_failed")
    assert declare("red", If_None_Match="*")["ETag"] == '"1"'
    assert _code(declare("green", If_None_Match="*")) == (412, "precondition_failed")
    assert ask("GET", "/inventory-types/book")["ETag"] == '"1"'
    assert declare("green", If_Match='"1"')["ETag"] == '"2"'
    late = declare("blue", If_Match='"1"')
    assert (_code(late), late["ETag"]) == ((412, "precondition_failed"), '"2"')
    assert declare("blue")["ETag"] == '"3"'


def test_a_history_says_how_far_the_newest_version_is_on_its_way_to_the_index(ask: Ask) -> None:
    def state() -> str:
        answer: str = ask("GET", "/inventory/product/A-1/history").json()["index_state"]
        return answer

    ask("PUT", "/inventory/product/A-1", HAMMER)
    assert state() == "pending"
    Change.objects.update(feed=1)
    RelayState.objects.create(pk=1, last_feed=1)
    assert state() == "published"
    Document.objects.update(index_state=IndexState.REJECTED)
    assert state() == "rejected"
    ask("PATCH", "/inventory/product/A-1", {"price": 9}, If_Match="*", media_type="application/merge-patch+json")
    assert state() == "pending"


@pytest.mark.parametrize(
    ("name", "body", "reason"),
    [
        ("Book", {}, "lower-case"),
        ("history", {}, "not one of"),
        ("book", {}, "schema: This field is required"),
        ("book", {"schema": {}, "index": "query-logs-2026"}, "begin with"),
        ("book", {"schema": {}, "index": "Books"}, "index"),
        ("book", {"schema": {}, "index": "products-000001"}, "index"),
        ("book", {"schema": {}, "index": "books", "more": 1}, "no such member"),
        ("book", {"schema": {}, "index": "books", "key": "name"}, "key"),
        ("book", {"schema": {}, "index": "books", "references": {"a": "b"}}, "JSON pointer"),
        ("book", {"schema": {}, "index": "books", "notify": ["everybody"]}, "notify"),
        ("book", {"schema": {}, "index": "books"}, 'add "type"'),
        ("book", [], "JSON object"),
        ("book", {"schema": [], "index": "books"}, "JSON object"),
    ],
)
def test_a_declaration_with_a_fault_says_where(name: str, body: Any, reason: str, ask: Ask) -> None:
    refused = ask("PUT", f"/inventory-types/{name}", body)
    assert _code(refused) == (400, "malformed")
    assert reason in refused.json()["detail"]


def test_the_same_request_with_the_same_key_has_the_same_answer(ask: Ask, trail: list[AuditEvent]) -> None:
    first = ask("POST", "/inventory/service", {"name": "Check-up"}, Idempotency_Key="k1")
    again = ask("POST", "/inventory/service", {"name": "Check-up"}, Idempotency_Key="k1")
    assert (again.status_code, again.content) == (first.status_code, first.content) == (201, b'{"name":"Check-up"}')
    assert [again[name] for name in ("ETag", "Location")] == [first[name] for name in ("ETag", "Location")]
    assert Change.objects.count() == 1
    assert _types(trail) == ["inventory.read"]
    other = ask("POST", "/inventory/service", {"name": "Surgery"}, Idempotency_Key="k1")
    assert _code(other) == (422, "idempotency_mismatch")
    assert ask("POST", "/inventory/service", {"name": "Surgery"}, Idempotency_Key="k2").status_code == 201


def test_a_key_is_its_user_s(ask: Ask) -> None:
    ask("POST", "/inventory/plan", {"name": "Gold"}, Idempotency_Key="k1")
    assert ask("POST", "/inventory/plan", {"name": "Silver"}, Idempotency_Key="k1", user="adapter").status_code == 201


def test_a_refused_request_with_a_key_may_be_sent_again(ask: Ask) -> None:
    ask("PUT", "/inventory/product/A-1", HAMMER)
    assert ask("PUT", "/inventory/product/A-1", {}, Idempotency_Key="k1", If_Match="*").status_code == 422
    assert ask("PUT", "/inventory/product/A-1", HAMMER, Idempotency_Key="k1", If_Match="*").status_code == 200


@pytest.mark.parametrize("key", ["", " ", "a b", "x" * 201, "ü"])
def test_a_header_that_is_no_key_is_malformed(key: str, ask: Ask) -> None:
    assert _code(ask("POST", "/inventory/service", {"name": "x"}, Idempotency_Key=key)) == (400, "malformed")


def test_a_change_keeps_as_much_of_the_user_agent_as_its_event_has(ask: Ask) -> None:
    ask("PUT", "/inventory/product/A-1", {"sku": "A-1", "name": "x"}, User_Agent="x" * 60_000)
    assert Change.objects.get().event_metadata["user_agent"] == "x" * 1_024


def test_a_page_of_children_ends_by_its_length(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.inventory.views._MAX_PAGE_BYTES", 30)
    ask("PUT", "/inventory/plan/p", {"name": "Gold"})
    for number in range(5):
        ask("PUT", f"/inventory/plan/p/member-cost-share/m{number}", {"copay": number})
    path, found = "/inventory/plan/p/member-cost-share", []
    for expected in (3, 2):
        page = ask("GET", path).json()
        assert len(page["results"]) == expected
        found += [each["id"] for each in page["results"]]
        path = f"/inventory/plan/p/member-cost-share?after={page.get('next')}"
    assert found == [f"m{number}" for number in range(5)]
    assert "next" not in page
