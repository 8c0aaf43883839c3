"""Changes of types."""

from datetime import UTC, datetime
from typing import Any

import orjson
import pytest
from django.db import transaction

from elastic.bootstrap import templates
from elastic.demo_inventory import devices
from gateway.http.problems import Problem
from gateway.inventory import writes
from gateway.inventory.builtin_types import install_builtin_types, read_builtin_types
from gateway.inventory.catalogue import read_catalogue
from gateway.inventory.models import Document, InventoryType
from gateway.inventory.preconditions import NONE
from gateway.inventory.transactions import Overtaken
from gateway.inventory.trees import MAX_NAMED
from gateway.inventory.type_changes import Outcome, TypeChange, put_type
from tests.support.inventory import AUTHOR, TEXT, definition, delete, place, put

pytestmark = pytest.mark.django_db


def _put(name: str = "thing", accept_existing: bool = False, dry_run: bool = False, **members: Any) -> TypeChange:
    return put_type(name, definition(**members), accept_existing=accept_existing, dry_run=dry_run)


def _store(document_id: str, body: Any, type_: str = "thing") -> None:
    now = datetime.now(UTC)
    Document.objects.create(
        type=type_,
        document_id=document_id,
        version=1,
        tree_version=1,
        body=orjson.dumps(body).decode(),
        schema_version=1,
        created_at=now,
        updated_at=now,
    )


def test_the_built_in_types_are_there_once_the_database_is() -> None:
    assert list(read_catalogue().types) == sorted(read_builtin_types())
    for declared in read_catalogue().types.values():
        read_catalogue().check(declared)


def test_a_built_in_type_that_was_declared_anew_stays_as_it_is() -> None:
    own = read_builtin_types()["product"] | {"public": False}
    put_type("product", own, accept_existing=False)
    install_builtin_types()
    assert read_catalogue().types["product"].definition == own


def test_devices_are_mapped_as_they_were_and_the_demo_inventory_fits() -> None:
    device = read_catalogue().types["device"]
    assert device.properties == templates()["devices"]["template"]["mappings"]["properties"]
    assert [each["Hostname"] for each in devices(50) if device.validator.errors(each)] == []


def test_a_new_type_has_an_index_of_its_own() -> None:
    assert _put().outcome is Outcome.CREATED
    row = InventoryType.objects.get(name="thing")
    assert (row.schema_version, row.index, row.physical_index, row.building_index) == (
        1,
        "things",
        "things-000001",
        None,
    )


def test_the_same_declaration_again_changes_nothing() -> None:
    _put()
    assert _put().outcome is Outcome.UNCHANGED
    assert InventoryType.objects.get(name="thing").schema_version == 1


def test_a_schema_that_only_adds_leaves_the_index_as_it_is() -> None:
    _put()
    change = _put(properties={"name": TEXT, "size": {"type": "integer"}})
    assert (change.outcome, change.rebuild, change.declared.schema_version) == (Outcome.CHANGED, False, 2)
    assert InventoryType.objects.get(name="thing").building_index is None
    assert read_catalogue().types["thing"].validator.is_valid({"size": 1})


def test_another_schema_has_a_new_index_built_and_one_more_while_it_is_built_a_third() -> None:
    _put()
    assert _put(properties={"name": {"type": "integer"}}).rebuild
    assert InventoryType.objects.get(name="thing").building_index == "things-000002"
    assert _put(properties={"name": {"type": "boolean"}}).rebuild
    assert InventoryType.objects.get(name="thing").building_index == "things-000003"


def test_documents_that_would_not_fit_are_counted_and_the_first_are_named() -> None:
    _put()
    for number in range(25):
        _store(f"t{number:02}", {"name": "a"})
    with pytest.raises(Problem) as refused:
        _put(properties={"name": {"type": "string", "minLength": 2}})
    problem = refused.value
    assert (problem.status, problem.code, problem.members["count"]) == (409, "schema_incompatible", 25)
    assert len(problem.members["documents"]) == MAX_NAMED
    assert problem.members["documents"][0] == {
        "id": "t00",
        "pointer": "/name",
        "keyword": "minLength",
        "detail": "the value is shorter than 2 characters",
    }
    assert InventoryType.objects.get(name="thing").schema_version == 1


def test_documents_that_would_not_fit_are_accepted_where_that_is_asked_for() -> None:
    _put()
    _store("t", {"name": "a"})
    change = _put(properties={"name": {"type": "string", "minLength": 2}}, accept_existing=True)
    assert (change.misfits, InventoryType.objects.get(name="thing").schema_version) == (1, 2)


def test_documents_are_not_checked_again_where_nothing_that_they_must_fit_has_changed() -> None:
    _put()
    _store("t", {"name": "a"})
    strict = {"name": {"type": "string", "minLength": 2}}
    _put(properties=strict, accept_existing=True)
    assert _put(properties=strict, public=True, notify=[]).misfits == 0
    assert _put(properties=strict, mapping={"properties": {"name": {"type": "wildcard"}}}, dry_run=True).misfits == 1


def test_a_document_whose_key_would_not_be_its_id_does_not_fit() -> None:
    _put()
    _store("t", {"name": "another"})
    with pytest.raises(Problem) as refused:
        _put(key="/name")
    assert refused.value.members["documents"][0]["keyword"] == "key"


def test_documents_that_refer_to_what_is_not_there_do_not_fit() -> None:
    texts = {"next": TEXT, "more": {"type": "array", "items": TEXT}}
    _put(properties=texts)
    for document_id, body in {
        "a": {"next": "b"},
        "b": {},
        "c": {"next": "gone"},
        "d": {"next": "b", "more": ["a", "no id!", "gone"]},
    }.items():
        put(f"thing/{document_id}", body)
    delete("thing/b")
    put("thing/b", {})
    references = {"/next": "thing", "/more": "thing"}

    with pytest.raises(Problem) as refused:
        _put(properties=texts, references=references)
    assert (refused.value.code, refused.value.members["count"]) == ("schema_incompatible", 2)
    assert refused.value.members["documents"] == [
        {"id": "c", "pointer": "/next", "keyword": "references", "detail": 'there is no thing "gone"'},
        {"id": "d", "pointer": "/more", "keyword": "references", "detail": 'there is no thing "no id!"'},
    ]
    assert _put(properties=texts, references=references, accept_existing=True).misfits == 2
    with pytest.raises(Problem, match="refer to it"):
        delete("thing/b")


def test_a_dry_run_says_what_would_happen_and_changes_nothing() -> None:
    assert _put(dry_run=True).outcome is Outcome.CREATED
    assert "thing" not in read_catalogue().types
    _put()
    _store("t", {"name": "a"})
    change = _put(properties={"name": {"type": "integer"}}, dry_run=True)
    assert (change.outcome, change.rebuild, change.misfits) == (Outcome.CHANGED, True, 1)
    row = InventoryType.objects.get(name="thing")
    assert (row.schema_version, row.building_index) == (1, None)


@pytest.mark.parametrize("member", [{"index": "others"}, {"parent": "plan"}])
def test_index_and_parent_of_a_type_never_change(member: dict[str, Any]) -> None:
    _put()
    InventoryType.objects.filter(name="thing").update(prepared="its index was made")
    with pytest.raises(Problem, match="never changes"):
        _put(**member)


def test_an_index_that_was_never_made_can_be_another_one() -> None:
    _put()
    assert _put(index="others", properties={"name": {"type": "integer"}}).declared.index == "others"
    row = InventoryType.objects.get(name="thing")
    assert (row.index, row.physical_index, row.building_index) == ("others", "others-000001", None)
    with pytest.raises(Problem, match='the index of the type "device"'):
        _put(index="devices")
    InventoryType.objects.filter(name="thing").update(building_index="others-000002")
    with pytest.raises(Problem, match="never changes"):
        _put()


@pytest.mark.parametrize(
    ("members", "reason"),
    [
        ({"index": "devices"}, 'the index of the type "device"'),
        ({"parent": "nothing"}, 'no type "nothing"'),
        ({"parent": "thing"}, "in a circle"),
        ({"embed": ["device"]}, "no type whose parent"),
        ({"references": {"/name": "nothing"}}, '"nothing", at /name, is no type'),
        ({"properties": {"name": {"type": ["string", "integer"]}}}, "two types"),
        ({"properties": {"name": {"$ref": "file:///etc/passwd"}}}, "nothing outside"),
        ({"mapping": {"properties": {"a": {"type": "join"}}}}, "no type of these"),
    ],
)
def test_a_declaration_with_a_fault_is_refused(members: dict[str, Any], reason: str) -> None:
    with pytest.raises(Problem, match=reason) as refused:
        _put(**members)
    assert (refused.value.status, refused.value.code) == (400, "malformed")


def test_a_child_s_new_schema_has_the_index_of_the_embedding_parent_built_too() -> None:
    _put(index="parents")
    _put("part", index="parts", parent="thing")
    _put(index="parents", embed=["part"])
    _put("part", index="parts", parent="thing", properties={"name": {"type": "integer"}})
    assert InventoryType.objects.get(name="part").building_index == "parts-000002"
    assert InventoryType.objects.get(name="thing").building_index == "parents-000002"


def test_a_type_does_not_embed_what_would_make_its_trees_too_large(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.inventory.trees.MAX_TREE_CHILDREN", 2)
    monkeypatch.setattr("gateway.inventory.trees.MAX_TREE_BYTES", 300)
    _put(index="parents")
    _put("part", index="parts", parent="thing")
    for number in range(25):
        put(f"thing/many{number:02}", {"name": "m"})
        for child in range(3):
            put(f"part/m{number:02}-{child}", {"name": "c"}, parent=f"many{number:02}")
    put("thing/long", {"name": "é" * 100})
    put("part/long", {"name": "é" * 100}, parent="long")
    put("thing/small", {"name": "s"})
    put("part/small", {"name": "s"}, parent="small")
    delete("part/m00-0")

    for is_dry in (True, False):
        with pytest.raises(Problem) as refused:
            _put(index="parents", embed=["part"], accept_existing=True, dry_run=is_dry)
        problem = refused.value
        assert (problem.status, problem.code, problem.members["count"]) == (409, "tree_too_large", 25)
        documents = problem.members["documents"]
        assert len(documents) == MAX_NAMED
        assert documents[:2] == [
            {"id": "long", "documents": 1, "bytes": 422},
            {"id": "many01", "documents": 3, "bytes": 48},
        ]
    assert InventoryType.objects.get(name="thing").schema_version == 1


def test_a_type_embeds_what_fits_and_from_then_on_no_more(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("gateway.inventory.trees.MAX_TREE_CHILDREN", 2)
    _put(index="parents")
    _put("part", index="parts", parent="thing")
    put("thing/t", {"name": "t"})
    for number in range(2):
        put(f"part/{number}", {"name": "c"}, parent="t")
    before = place("part", "2", "t")
    assert _put(index="parents", embed=["part"]).rebuild

    with pytest.raises(Overtaken), transaction.atomic():
        # It began before the type above embedded this one.
        writes.put(before, {"name": "c"}, NONE, AUTHOR)
    with pytest.raises(Problem, match="at most"):
        put("part/2", {"name": "c"}, parent="t")


def test_an_index_is_made_again_where_its_documents_count_what_is_below_them_from_now_on() -> None:
    _put(index="parents")
    for name in ("part", "note"):
        _put(name, index=f"{name}s", parent="thing")
    put("thing/t", {"name": "t"})
    assert not _put(index="parents", embed=["part"], dry_run=True).rebuild
    put("note/n", {"name": "n"}, parent="t")
    assert _put(index="parents", embed=["part"]).rebuild


def test_an_embedded_type_and_a_member_do_not_have_one_name() -> None:
    _put(index="parents", properties={"part": TEXT})
    _put("part", index="parts", parent="thing")
    with pytest.raises(Problem, match="have one name"):
        _put(index="parents", properties={"part": TEXT}, embed=["part"])
