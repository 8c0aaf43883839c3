"""Writes of single documents."""

from typing import Any

import orjson
import pytest

from gateway.http.problems import Problem
from gateway.inventory.batch import Result
from gateway.inventory.models import Change, Document
from gateway.inventory.trees import MAX_TREE_CHILDREN
from gateway.inventory.type_changes import put_type
from tests.support.inventory import (
    ANY,
    AUTHOR,
    NEW,
    TEXT,
    declare,
    definition,
    delete,
    if_match,
    patch,
    place,
    put,
    restore,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def thing() -> None:
    """A type without a key, a parent or children."""
    declare("thing", {"name": {"type": "string", "maxLength": 10}, "size": {"type": "integer"}})


@pytest.fixture
def tree() -> None:
    """A type that embeds one child type, has another, and a grandchild."""
    declare("box")
    declare("part", {"name": TEXT, "of": TEXT}, parent="box")
    declare("note", parent="box")
    declare("screw", parent="part")
    declare("box", embed=["part"])


def _refusal(write: Any) -> Problem:
    with pytest.raises(Problem) as refused:
        write()
    return refused.value


def _versions(document_id: str) -> list[tuple[int, str, list[str], Any]]:
    rows = Change.objects.filter(document_id=document_id).order_by("sequence")
    return [(row.version, row.op, row.changed, row.body and orjson.loads(row.body)) for row in rows]


def _row(document_id: str) -> Document:
    return Document.objects.get(document_id=document_id)


@pytest.mark.usefixtures("thing")
def test_every_version_of_a_document_is_a_change() -> None:
    assert put("thing/a", {"name": "x"}).result is Result.CREATED
    assert put("thing/a", {"name": "y"}, if_match(1)).result is Result.REPLACED
    assert patch("thing/a", {"size": 3}, if_match(2)).text == b'{"name":"y","size":3}'
    assert delete("thing/a", if_match(3)).text is None
    assert put("thing/a", {"name": "z"}).version == 5
    restored = restore("thing/a", 3, if_match(5))
    assert (restored.version, restored.text) == (6, b'{"name":"y","size":3}')
    assert _versions("a") == [
        (1, "create", [""], {"name": "x"}),
        (2, "replace", ["/name"], {"name": "y"}),
        (3, "patch", ["/size"], {"name": "y", "size": 3}),
        (4, "delete", [""], None),
        (5, "create", [""], {"name": "z"}),
        (6, "restore", ["/name", "/size"], {"name": "y", "size": 3}),
    ]
    assert (_row("a").version, _row("a").body) == (6, '{"name":"y","size":3}')


@pytest.mark.usefixtures("thing")
def test_a_change_says_who_made_it_in_which_request_and_of_which_tree() -> None:
    put("thing/a", {"name": "x"})
    change = Change.objects.get()
    assert (change.actor, change.request_id, change.event_metadata) == ("adapter", "r1", AUTHOR.metadata)
    assert (change.root_type, change.root_id, change.feed) == ("thing", "a", None)
    assert change.change_id.version == 7


@pytest.mark.usefixtures("thing")
def test_a_write_that_changes_nothing_is_no_change() -> None:
    put("thing/a", {"name": "x", "size": 1})
    assert put("thing/a", {"size": 1, "name": "x"}, if_match(1)).result is Result.UNCHANGED
    assert patch("thing/a", {"missing": None}).result is Result.UNCHANGED
    assert restore("thing/a", 1, ANY).result is Result.UNCHANGED
    assert (Change.objects.count(), _row("a").version) == (1, 1)


@pytest.mark.usefixtures("thing")
@pytest.mark.parametrize(
    ("write", "status", "code"),
    [
        (lambda: put("thing/a", {"name": "y"}), 428, "precondition_required"),
        (lambda: put("thing/a", {"name": "y"}, NEW), 412, "precondition_failed"),
        (lambda: put("thing/a", {"name": "y"}, if_match(2)), 412, "precondition_failed"),
        (lambda: patch("thing/b", {}), 404, "not_found"),
        (lambda: delete("thing/gone"), 410, "gone"),
        (lambda: put("thing/a", {"name": "much too long"}, ANY), 422, "document_invalid"),
        (lambda: patch("thing/a", {"size": "one"}), 422, "document_invalid"),
        (lambda: patch("thing/a", None), 400, "malformed"),
        (lambda: put("thing/b", []), 400, "malformed"),
        (lambda: put("thing/import", {}), 400, "malformed"),
        (lambda: put("thing/-b", {}), 400, "malformed"),
        (lambda: put("thing/" + "b" * 129, {}), 400, "malformed"),
        (lambda: restore("thing/a", 9, ANY), 404, "not_found"),
        (lambda: restore("thing/gone", 2), 404, "not_found"),
        (lambda: restore("thing/b", 1), 404, "not_found"),
        (lambda: restore("thing/a", 1), 428, "precondition_required"),
    ],
)
def test_a_refused_write_leaves_everything_as_it_was(write: Any, status: int, code: str) -> None:
    put("thing/a", {"name": "x"})
    put("thing/gone", {"name": "x"})
    delete("thing/gone")
    before = list(Document.objects.values()), Change.objects.count()
    problem = _refusal(write)
    assert (problem.status, problem.code) == (status, code)
    assert (list(Document.objects.values()), Change.objects.count()) == before


@pytest.mark.usefixtures("thing")
def test_an_invalid_document_is_answered_with_its_faults() -> None:
    problem = _refusal(lambda: put("thing/a", {"name": "x" * 11, "size": 1.5, "_x": 1}))
    assert {(each["pointer"], each["keyword"]) for each in problem.members["errors"]} == {
        ("/name", "maxLength"),
        ("/size", "type"),
        ("", "additionalProperties"),
        ("/_x", "propertyNames"),
    }


def test_a_value_that_the_index_cannot_hold_is_invalid() -> None:
    declare(
        "thing",
        {"at": {"type": "string", "format": "date-time"}, "sizes": {"type": "array", "items": {"type": "integer"}}},
    )
    problem = _refusal(lambda: put("thing/a", {"at": "2016-12-31T23:59:60Z", "sizes": [1, 1e30]}))
    assert (problem.status, problem.code) == (422, "document_invalid")
    assert [(each["pointer"], each["keyword"]) for each in problem.members["errors"]] == [
        ("/at", "mapping"),
        ("/sizes/1", "mapping"),
    ]


def test_a_key_is_the_id() -> None:
    assert put("product/A-1", {"sku": "A-1", "name": "Hammer"}).result is Result.CREATED
    problem = _refusal(lambda: put("product/A-2", {"sku": "A-3", "name": "Saw"}))
    assert (problem.code, problem.members["errors"][0]["pointer"]) == ("document_invalid", "/sku")
    assert _refusal(lambda: patch("product/A-1", {"sku": "A-2"})).code == "document_invalid"


def test_a_document_that_another_refers_to_must_be_there() -> None:
    put("plan/p", {"name": "Gold"})
    problem = _refusal(lambda: put("plan-service/s", {"service": "s1"}, parent="p"))
    assert (problem.status, problem.code) == (409, "referential")
    assert 'no service "s1"' in problem.detail
    put("service/s1", {"name": "Check-up"})
    assert put("plan-service/s", {"service": "s1"}, parent="p").result is Result.CREATED


def test_a_document_that_others_refer_to_is_not_deleted() -> None:
    put("plan/p", {"name": "Gold"})
    put("service/s1", {"name": "Check-up"})
    put("service/s2", {"name": "X-ray"})
    put("plan-service/a", {"service": "s1"}, parent="p")
    problem = _refusal(lambda: delete("service/s1"))
    assert (problem.status, problem.code) == (409, "referential")
    assert "plan-service/a" in problem.detail
    put("plan-service/a", {"service": "s2"}, ANY)
    assert delete("service/s1").result is Result.DELETED
    assert 'no service "s1"' in _refusal(lambda: restore("plan-service/a", 1, ANY)).detail
    delete("plan-service/a")
    assert delete("service/s2").result is Result.DELETED
    restore("service/s2", 1)
    restore("plan-service/a", 2)
    assert "plan-service/a" in _refusal(lambda: delete("service/s2")).detail


def test_a_document_may_refer_to_itself_and_to_many() -> None:
    declare("node", {"next": {"type": "array", "items": TEXT}}, references={"/next": "node"})
    put("node/a", {})
    put("node/b", {"next": ["a", "a"]})
    put("node/a", {"next": ["a", "b"]}, ANY)
    assert "node/b" in _refusal(lambda: delete("node/a")).detail
    put("node/b", {}, ANY)
    assert delete("node/a").result is Result.DELETED
    assert delete("node/b").result is Result.DELETED


def test_references_that_a_new_declaration_finds_hold_what_is_there() -> None:
    declare("thing", {"of": {"type": "string"}})
    put("service/s", {"name": "Check-up"})
    put("thing/a", {"of": "s"})
    put("thing/b", {"of": "no id " * 50})
    declared = definition({"of": {"type": "string"}}, index="thing-index", references={"/of": "service"})
    put_type("thing", declared, accept_existing=True)
    assert "thing/a" in _refusal(lambda: delete("service/s")).detail
    declare("thing", {"of": {"type": "string"}})
    assert delete("service/s").result is Result.DELETED


@pytest.mark.usefixtures("tree")
def test_a_child_stands_below_a_parent_that_is_there_and_stays_there() -> None:
    assert "/inventory/box/{id}/part/p" in _refusal(lambda: put("part/p", {"name": "x"})).detail
    assert 'no box "b"' in _refusal(lambda: put("part/p", {"name": "x"}, parent="b")).detail
    put("box/b", {"name": "b"})
    put("box/c", {"name": "c"})
    put("part/p", {"name": "x"}, parent="b")
    assert "cannot be moved" in _refusal(lambda: put("part/p", {"name": "y"}, ANY, parent="c")).detail
    assert put("part/p", {"name": "y"}, ANY).result is Result.REPLACED
    delete("part/p")
    delete("box/b")
    assert 'no box "b"' in _refusal(lambda: restore("part/p", 1)).detail


@pytest.mark.usefixtures("tree")
def test_a_parent_is_not_deleted_while_children_are_there() -> None:
    put("box/b", {"name": "b"})
    put("note/n", {"name": "n"}, parent="b")
    problem = _refusal(lambda: delete("box/b"))
    assert (problem.code, "note/n" in problem.detail) == ("referential", True)
    delete("note/n")
    assert delete("box/b").result is Result.DELETED


@pytest.mark.usefixtures("tree")
def test_each_write_below_a_document_counts_its_tree_s_version_and_none_beside_it() -> None:
    put("box/b", {"name": "b"})
    put("box/c", {"name": "c"})
    put("part/p", {"name": "p"}, parent="b")
    put("screw/s", {"name": "s"}, parent="p")
    put("screw/s", {"name": "t"}, ANY)
    versions = {row.document_id: (row.version, row.tree_version) for row in Document.objects.all()}
    assert versions == {"b": (1, 4), "c": (1, 1), "p": (1, 3), "s": (2, 2)}
    roots = set(Change.objects.filter(type="screw").values_list("root_type", "root_id"))
    assert roots == {("box", "b")}


@pytest.mark.usefixtures("tree")
def test_names_of_child_types_are_no_ids() -> None:
    assert _refusal(lambda: put("box/part", {"name": "x"})).status == 400
    assert put("box/screw", {"name": "x"}).result is Result.CREATED


@pytest.mark.usefixtures("tree")
def test_children_that_are_embedded_have_a_limit_of_number() -> None:
    put("box/b", {"name": "b"})
    parent = _row("b")
    for number in range(MAX_TREE_CHILDREN - 1):
        Document.objects.create(
            type="part",
            document_id=f"p{number}",
            parent=parent,
            version=1,
            tree_version=1,
            body="{}",
            schema_version=1,
            created_at=parent.created_at,
            updated_at=parent.updated_at,
        )
    put("part/last", {"name": "x"}, parent="b")
    problem = _refusal(lambda: put("part/more", {"name": "x"}, parent="b"))
    assert (problem.status, problem.code) == (409, "tree_too_large")
    assert put("note/n", {"name": "x"}, parent="b").result is Result.CREATED
    assert put("part/last", {"name": "y"}, ANY).result is Result.REPLACED
    delete("part/p0")
    assert put("part/more", {"name": "x"}, parent="b").result is Result.CREATED


@pytest.mark.usefixtures("tree")
def test_a_document_with_those_that_it_embeds_has_a_limit_of_length() -> None:
    put("box/b", {"name": "b"})
    long = "ü" * 120_000
    for number in range(4):
        put(f"part/p{number}", {"name": long}, parent="b")
    assert _refusal(lambda: put("part/p4", {"name": long}, parent="b")).code == "tree_too_large"
    assert _refusal(lambda: put("box/b", {"name": long}, ANY)).code == "tree_too_large"
    assert patch("part/p0", {"name": "short"}).result is Result.REPLACED
    assert put("box/b", {"name": long}, ANY).result is Result.REPLACED


@pytest.mark.usefixtures("thing")
def test_a_declaration_that_others_made_meanwhile_is_read_again() -> None:
    old = place("thing", "a")
    declare("thing", {"name": TEXT, "size": {"type": "integer"}, "new": TEXT})
    assert place("thing", "a").declared.schema_version == old.declared.schema_version + 1
    put("thing/a", {"new": "x"})
    assert _row("a").schema_version == 2
