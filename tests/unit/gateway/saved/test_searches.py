"""Saved searches and collections as their owner, editors, viewers and everybody else have them."""

from typing import Any

import msgspec
import pytest
from django.db import IntegrityError
from pytest_django import Settings

from contracts.query_event.event import AuditEvent
from gateway.identity import erasure
from gateway.identity.models import User
from gateway.notify.models import Notification
from gateway.saved import changes, outbox
from gateway.saved.models import OutboxEvent, Saved, Share, Watch
from tests.unit.gateway.saved.conftest import SEARCH, Ask, Told, ask, owner, told, trail

__all__ = ["ask", "owner", "told", "trail"]

pytestmark = pytest.mark.usefixtures("owner")


def _save(ask: Ask, **members: Any) -> str:
    made = ask("POST", "/searches/", SEARCH | members, user="ayse")
    assert made.status_code == 201, made.content
    return str(made["Location"])


def _collect(ask: Ask, **members: Any) -> str:
    made = ask("POST", "/collections/", {"title": "Monday"} | members, user="ayse")
    assert made.status_code == 201, made.content
    return str(made["Location"])


def _shared(*editors: str, viewers: tuple[str, ...] = ()) -> dict[str, Any]:
    users = [{"user": name, "role": "editor"} for name in editors] + [{"user": name} for name in viewers]
    return {"visibility": "users", "users": users}


def _patch(ask: Ask, path: str, members: dict[str, Any], version: int) -> Any:
    media_type = "application/merge-patch+json"
    return ask("PATCH", path, members, user="ayse", media_type=media_type, If_Match=f'"{version}"')


def _events() -> list[AuditEvent]:
    rows = OutboxEvent.objects.order_by("pk").values_list("event", flat=True)
    return [msgspec.json.decode(row, type=AuditEvent) for row in rows]


def test_a_search_is_saved_read_and_listed(ask: Ask) -> None:
    made = ask(
        "POST",
        "/searches/",
        {
            "title": "Linux",
            "description": "All of it",
            "query": 'OS.Type = "Linux"',
            "index": "devices",
            "columns": ["Hostname"],
            "sort": ["-LastSeen"],
        },
        user="ayse",
    )
    assert (made.status_code, made["ETag"]) == (201, '"1"')
    saved = dict(made.json())
    assert made["Location"] == f"/searches/{saved['id']}"
    assert saved.pop("created_at") == saved.pop("updated_at")
    assert saved == {
        "id": saved["id"],
        "title": "Linux",
        "description": "All of it",
        "query": 'OS.Type = "Linux"',
        "index": "devices",
        "columns": ["Hostname"],
        "sort": ["-LastSeen"],
        "owner": "ayse",
        "role": "owner",
        "visibility": "me",
        "users": [],
        "version": 1,
    }
    read = ask("GET", made["Location"], user="ayse")
    assert (read.status_code, read["ETag"], read.json()) == (200, '"1"', made.json())
    [listed] = ask("GET", "/searches/", user="ayse").json()["searches"]
    assert listed["title"] == "Linux" and listed["watch"] is None and "query" not in listed


def test_members_that_are_left_out_have_their_defaults(ask: Ask) -> None:
    saved = ask("GET", _save(ask), user="ayse").json()
    assert [saved[name] for name in ("description", "index", "columns", "sort", "visibility", "users")] == [
        "",
        None,
        None,
        [],
        "me",
        [],
    ]


@pytest.mark.parametrize("make", [_save, _collect])
def test_writes_keep_to_the_preconditions(ask: Ask, make: Any) -> None:
    path = make(ask)
    whole = SEARCH if make is _save else {"title": "Linux"}
    patch = {"media_type": "application/merge-patch+json", "user": "ayse"}
    assert ask("GET", path, user="ayse", If_None_Match='"1"').status_code == 304
    assert ask("GET", path, user="ayse", If_None_Match='"7"').status_code == 200
    for method in ("PUT", "DELETE"):
        assert ask(method, path, whole, user="ayse").status_code == 428
        other = ask(method, path, whole, user="ayse", If_Match='"7"')
        assert (other.status_code, other["ETag"], other.json()["code"]) == (412, '"1"', "precondition_failed")
        assert ask(method, path, whole, user="ayse", If_Match='W/"1"').status_code == 412
        assert ask(method, path, whole, user="ayse", If_None_Match="*").status_code == 412
    assert ask("PATCH", path, {"title": "B"}, **patch).status_code == 428
    changed = ask("PATCH", path, {"title": "B"}, If_Match='"1"', **patch)
    assert (changed.status_code, changed["ETag"], changed.json()["title"]) == (200, '"2"', "B")
    same = ask("PATCH", path, {"title": "B"}, If_Match='"2"', **patch)
    assert (same.status_code, same["ETag"]) == (200, '"2"')
    replaced = ask("PUT", path, whole | {"title": "C"}, user="ayse", If_Match='"2"')
    assert (replaced.status_code, replaced["ETag"]) == (200, '"3"')
    assert ask("DELETE", path, user="ayse", If_Match='"3"').status_code == 204
    for method, body in (("GET", None), ("PUT", whole), ("DELETE", None)):
        assert ask(method, path, body, user="ayse", If_Match='"3"').status_code == 404


def test_a_patch_changes_the_members_that_it_has(ask: Ask) -> None:
    path = _save(ask, index="devices", columns=["Ip"])
    patch = {"index": None, "users": [{"user": "ben"}], "visibility": "users"}
    ask("PATCH", path, patch, user="ayse", media_type="application/merge-patch+json", If_Match='"1"')
    saved = ask("GET", path, user="ayse").json()
    assert (saved["index"], saved["columns"], saved["query"]) == (None, ["Ip"], SEARCH["query"])
    assert saved["users"] == [{"user": "ben", "role": "viewer"}]


@pytest.mark.parametrize("make", [_save, _collect])
@pytest.mark.parametrize(
    "patch", [{"users": [{"role": "viewer"}]}, {"title": ""}, {"visibility": None}, {"owner": "x"}]
)
def test_a_patch_is_checked_as_strictly(ask: Ask, make: Any, patch: Any) -> None:
    path = make(ask)
    answer = ask("PATCH", path, patch, user="ayse", media_type="application/merge-patch+json", If_Match='"1"')
    assert answer.status_code == 400, answer.content


@pytest.mark.parametrize("make", [_save, _collect])
def test_a_patch_does_not_replace_and_a_replacement_does_not_patch(ask: Ask, make: Any) -> None:
    path = make(ask)
    for method, media_type in (("PUT", "application/merge-patch+json"), ("PATCH", "application/json")):
        answer = ask(method, path, {"title": "B"}, user="ayse", media_type=media_type, If_Match='"1"')
        assert (answer.status_code, answer.json()["code"]) == (415, "unsupported_media_type")


@pytest.mark.parametrize("make", [_save, _collect])
def test_what_is_not_shared_is_not_there(ask: Ask, make: Any) -> None:
    path = make(ask, **_shared(viewers=("ben",)))
    whole = SEARCH if make is _save else {"title": "Linux"}
    for user in ("cem", "ada"):
        answers = [
            ask("GET", path, user=user),
            ask("PUT", path, whole, user=user, If_Match="*"),
            ask("PATCH", path, {"title": "X"}, user=user, media_type="application/merge-patch+json", If_Match="*"),
            ask("DELETE", path, user=user, If_Match="*"),
        ]
        nobodys = ask("GET", f"{path.rpartition('/')[0]}/f067d754-8109-411b-a526-72614bbd09d9", user=user)
        assert {answer.status_code for answer in answers} == {404}
        assert {answer.json()["detail"] for answer in answers} == {nobodys.json()["detail"]}
        assert all(not each for each in ask("GET", path.rpartition("/")[0] + "/", user=user).json().values())
    assert ask("GET", path, user=None).status_code == 401


@pytest.mark.parametrize("make", [_save, _collect])
def test_a_viewer_reads_and_does_not_change(ask: Ask, make: Any, trail: list[AuditEvent]) -> None:
    path = make(ask, **_shared(viewers=("ben",)))
    read = ask("GET", path, user="ben").json()
    assert read["role"] == "viewer" and "users" not in read
    whole = (SEARCH if make is _save else {"title": "Linux"}) | {"title": "Mine now"}
    assert ask("PUT", path, whole, user="ben", If_Match='"1"').status_code == 403
    assert ask("DELETE", path, user="ben", If_Match='"1"').status_code == 403
    assert [event.event_type for event in trail] == ["query.denied"] * 2
    assert ask("GET", path, user="ayse")["ETag"] == '"1"'


@pytest.mark.parametrize("make", [_save, _collect])
def test_an_editor_changes_and_does_not_share_or_delete(ask: Ask, make: Any) -> None:
    path = make(ask, **_shared("ben", viewers=("cem",)))
    read = ask("GET", path, user="ben").json()
    assert read["role"] == "editor"
    assert read["users"] == [{"user": "ben", "role": "editor"}, {"user": "cem", "role": "viewer"}]
    whole = (SEARCH if make is _save else {"title": "Linux"}) | {name: read[name] for name in ("visibility", "users")}
    assert ask("PUT", path, whole | {"title": "B"}, user="ben", If_Match='"1"').status_code == 200
    for sharing in (_shared("ben"), {"visibility": "me", "users": []}, {"visibility": "everyone"}):
        assert ask("PUT", path, whole | sharing, user="ben", If_Match='"2"').status_code == 403
    assert ask("DELETE", path, user="ben", If_Match='"2"').status_code == 403
    assert ask("GET", path, user="cem").json()["title"] == "B"


def test_everyone_reads_what_is_for_everyone(ask: Ask) -> None:
    path = _save(ask, visibility="everyone", users=[{"user": "ben", "role": "editor"}])
    assert ask("GET", path, user="cem").json()["role"] == "viewer"
    assert ask("GET", path, user="ben").json()["role"] == "editor"
    assert [each["title"] for each in ask("GET", "/searches/", user="cem").json()["searches"]] == ["Linux"]


def test_a_shared_search_widens_no_grants(ask: Ask, settings: Settings) -> None:
    del settings
    User.objects.filter(username="ben").update(granted_indices=[])
    path = _save(ask, index="devices", **_shared(viewers=("ben",)))
    saved = ask("GET", path, user="ben").json()
    assert saved["index"] == "devices"
    denied = ask("POST", "/search", {"query": saved["query"], "index": saved["index"]}, user="ben")
    assert (denied.status_code, denied.json()["detail"]) == (403, 'You may not search the index "devices".')


def test_each_change_is_an_event_of_its_transaction(ask: Ask) -> None:
    path = _save(ask)
    ask("PUT", path, SEARCH | {"title": "B", "query": "x"}, user="ayse", If_Match='"1"')
    ask("PUT", path, SEARCH | {"title": "B", "query": "x"}, user="ayse", If_Match='"2"')
    ask("DELETE", path, user="ayse", If_Match='"2"')
    events = _events()
    assert {(event.event_type, event.user_id) for event in events} == {("saved.changed", "ayse")}
    assert [event.data.status for event in events] == [201, 200, 204]
    targets = [msgspec.to_builtins(event.data.target) for event in events]
    number = path.rpartition("/")[2]
    assert targets == [
        {"type": "search", "id": number, "version": 1, "changed": [""]},
        {"type": "search", "id": number, "version": 2, "changed": ["/title", "/query"]},
        {"type": "search", "id": number, "version": 2, "changed": [""]},
    ]
    assert all(event.metadata.request_id and event.metadata.auth_scheme for event in events)


def test_a_change_that_fails_leaves_no_event_and_tells_nobody(
    ask: Ask, told: Told, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = _save(ask, **_shared(viewers=("ben",)))

    def fail(_event: AuditEvent) -> None:
        raise IntegrityError

    before = told("ben")
    with monkeypatch.context() as patched:
        patched.setattr(outbox, "put", fail)
        assert ask("DELETE", path, user="ayse", If_Match='"1"').status_code == 503
    assert ask("GET", path, user="ben").status_code == 200
    assert told("ben") == before and len(_events()) == 1


def test_shares_and_changes_are_told_to_those_whom_they_concern(ask: Ask, told: Told) -> None:
    path = _save(ask, **_shared("ben"))
    number = path.rpartition("/")[2]
    shared = {"type": "search", "id": number, "title": "Linux", "version": 1, "op": "shared", "changed": [""]}
    assert told("ben") == [shared]
    whole = SEARCH | _shared("ben") | {"title": "B"}
    assert ask("PUT", path, whole, user="ben", If_Match='"1"').status_code == 200
    [changed] = told("ayse")
    assert (changed["op"], changed["title"], changed["changed"]) == ("changed", "B", ["/title"])
    assert told("ben") == [shared]
    ask("PUT", path, whole | _shared("ben", "cem"), user="ayse", If_Match='"2"')
    assert ([each["op"] for each in told("ben")], [each["op"] for each in told("cem")]) == (
        ["shared", "changed"],
        ["shared"],
    )
    ask("DELETE", path, user="ayse", If_Match='"3"')
    assert [each["op"] for each in told("cem")] == ["shared", "deleted"]
    assert Notification.objects.filter(recipient__username="cem").values_list("actor__username", flat=True)[0] == "ayse"


def test_who_loses_a_search_is_not_told_what_becomes_of_it(ask: Ask, told: Told) -> None:
    path = _save(ask, visibility="everyone")
    for name in ("ben", "cem"):
        ask("PUT", f"{path}/watch", user=name)
    named = {"title": "Plans", "visibility": "users", "users": [{"user": "cem"}]}
    assert _patch(ask, path, named, 1).status_code == 200
    assert (told("ben"), [each["op"] for each in told("cem")]) == ([], ["shared"])
    hidden = {"title": "Lay-offs", "visibility": "me", "users": []}
    assert _patch(ask, path, hidden, 2).status_code == 200
    assert "Lay-offs" not in str(told("ben") + told("cem"))


def test_who_still_sees_what_they_watch_is_told_of_its_changes(ask: Ask, told: Told) -> None:
    path = _save(ask, **_shared("ben"))
    ask("PUT", f"{path}/watch", user="ben")
    assert _patch(ask, path, {"visibility": "everyone", "users": []}, 1).status_code == 200
    assert [each["op"] for each in told("ben")] == ["shared", "changed"]


def test_one_whose_last_named_user_was_deleted_is_changed_as_before(ask: Ask) -> None:
    path = _save(ask, **_shared("ben"))
    User.objects.get(username="ben").delete()
    changed = _patch(ask, path, {"title": "Of nobody"}, 1)
    assert (changed.status_code, changed.json()["title"]) == (200, "Of nobody")
    # Whoever changes who sees it names somebody, as always.
    assert _patch(ask, path, {"visibility": "users", "users": []}, 2).status_code == 200
    assert _patch(ask, path, {"visibility": "everyone"}, 2).status_code == 200
    assert _patch(ask, path, {"visibility": "users"}, 3).status_code == 400


def test_a_collection_has_its_searches_in_order(ask: Ask) -> None:
    path = _collect(ask)
    a, b, c = (_save(ask, title=title).rpartition("/")[2] for title in "abc")

    def put(search: str, version: int, body: Any = None) -> Any:
        return ask("PUT", f"{path}/searches/{search}", body, user="ayse", If_Match=f'"{version}"')

    assert ask("PUT", f"{path}/searches/{a}", user="ayse").status_code == 428
    assert put(a, 1).json()["searches"] == [a]
    assert put(b, 2, {}).json()["searches"] == [a, b]
    assert put(c, 3, {"before": b}).json()["searches"] == [a, c, b]
    moved = put(a, 4, {"before": None})
    assert (moved.json()["searches"], moved["ETag"]) == ([c, b, a], '"5"')
    assert put(a, 5)["ETag"] == '"5"'
    assert put(a, 4).status_code == 412
    assert put(a, 5, {"before": a}).status_code == 400
    taken = ask("DELETE", f"{path}/searches/{b}", user="ayse", If_Match='"5"')
    assert (taken.status_code, taken.json()["searches"]) == (200, [c, a])
    assert ask("DELETE", f"{path}/searches/{b}", user="ayse", If_Match='"6"')["ETag"] == '"6"'
    [listed] = ask("GET", "/collections/", user="ayse").json()["collections"]
    assert listed["searches"] == [c, a]
    assert ask("PUT", path, {"title": "Tuesday"}, user="ayse", If_Match='"6"').json()["searches"] == [c, a]


def test_nobody_puts_a_search_into_a_collection_that_they_do_not_see(ask: Ask) -> None:
    path = _collect(ask, **_shared("ben", viewers=("cem",)))
    search = _save(ask).rpartition("/")[2]
    assert ask("PUT", f"{path}/searches/{search}", user="ben", If_Match='"1"').status_code == 404
    assert ask("PUT", f"{path}/searches/{search}", user="cem", If_Match='"1"').status_code == 404
    bens = ask("POST", "/searches/", SEARCH, user="ben").json()["id"]
    assert ask("PUT", f"{path}/searches/{bens}", user="ben", If_Match='"1"').json()["searches"] == [bens]
    # The collection is shared, and the search is not.
    assert ask("GET", path, user="ayse").json()["searches"] == [bens]
    assert ask("GET", f"/searches/{bens}", user="ayse").status_code == 404
    cems = ask("POST", "/searches/", SEARCH, user="cem").json()["id"]
    assert ask("PUT", f"{path}/searches/{cems}", user="cem", If_Match='"2"').status_code == 403


def test_one_s_own_are_listed_without_those_of_others(ask: Ask) -> None:
    own = _save(ask)
    for number in range(3):
        ask("POST", "/searches/", SEARCH | {"title": f"Of ben {number}", "visibility": "everyone"}, user="ben")
    listed = ask("GET", "/searches/?mine=true&size=1", user="ayse").json()
    assert ([f"/searches/{each['id']}" for each in listed["searches"]], listed["next"]) == ([own], None)
    assert len(ask("GET", "/searches/", user="ayse").json()["searches"]) == 4
    assert ask("GET", "/collections/?mine=true", user="ayse").json() == {"collections": [], "next": None}
    assert ask("GET", "/searches/?mine=true&orphaned=true", user="ada").status_code == 400


def test_a_list_is_read_page_by_page(ask: Ask) -> None:
    for number in range(5):
        _save(ask, title=str(number))
    first = ask("GET", "/searches/?size=2", user="ayse").json()
    second = ask("GET", f"/searches/?size=2&before={first['next']}", user="ayse").json()
    third = ask("GET", f"/searches/?size=2&before={second['next']}", user="ayse").json()
    titles = [each["title"] for page in (first, second, third) for each in page["searches"]]
    assert (titles, third["next"]) == (["4", "3", "2", "1", "0"], None)


def test_there_are_so_many_and_no_more(ask: Ask, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(changes, "MAX_OF_USER", {"search": 2, "collection": 1})
    monkeypatch.setattr("gateway.saved.views.MAX_WATCHES", 1)
    monkeypatch.setattr("gateway.saved.views.MAX_SEARCHES", 1)
    searches, collection = [_save(ask), _save(ask)], _collect(ask)
    assert ask("POST", "/searches/", SEARCH, user="ayse").status_code == 400
    assert ask("POST", "/collections/", {"title": "B"}, user="ayse").status_code == 400
    assert ask("POST", "/searches/", SEARCH, user="ben").status_code == 201
    assert [ask("PUT", f"{path}/watch", {}, user="ayse").status_code for path in searches] == [200, 400]
    numbers = [path.rpartition("/")[2] for path in searches]
    statuses = [
        ask("PUT", f"{collection}/searches/{number}", user="ayse", If_Match="*").status_code for number in numbers
    ]
    assert statuses == [200, 400]


_NOBODYS = "f067d754-8109-411b-a526-72614bbd09d9"
_TITLE = {"title": "A"}


@pytest.mark.parametrize(
    ("method", "path", "body", "status"),
    [
        ("POST", "/searches/", [], 400),
        ("POST", "/searches/", _TITLE, 400),
        ("POST", "/searches/", SEARCH | {"title": ""}, 400),
        ("POST", "/searches/", SEARCH | {"title": "  "}, 400),
        ("POST", "/searches/", SEARCH | {"title": "a\nb"}, 400),
        ("POST", "/searches/", SEARCH | {"title": "a" * 201}, 400),
        ("POST", "/searches/", SEARCH | {"title": 7}, 400),
        ("POST", "/searches/", SEARCH | {"description": "a" * 2001}, 400),
        ("POST", "/searches/", SEARCH | {"query": "a" * 65_537}, 400),
        ("POST", "/searches/", SEARCH | {"query": "a\0b"}, 400),
        ("POST", "/searches/", SEARCH | {"query": None}, 400),
        ("POST", "/searches/", SEARCH | {"index": "a" * 256}, 400),
        ("POST", "/searches/", SEARCH | {"columns": []}, 400),
        ("POST", "/searches/", SEARCH | {"columns": ["a"] * 101}, 400),
        ("POST", "/searches/", SEARCH | {"sort": "Hostname"}, 400),
        ("POST", "/searches/", SEARCH | {"visibility": "all"}, 400),
        ("POST", "/searches/", SEARCH | {"visibility": "users"}, 400),
        ("POST", "/searches/", SEARCH | {"users": [{"user": "ben"}]}, 400),
        ("POST", "/searches/", SEARCH | {"visibility": "users", "users": [{"user": "nobody"}]}, 400),
        ("POST", "/searches/", SEARCH | {"visibility": "users", "users": [{"user": "ben", "role": "owner"}]}, 400),
        ("POST", "/searches/", SEARCH | {"visibility": "users", "users": [{"user": "ben"}, {"user": "ben"}]}, 400),
        ("POST", "/searches/", SEARCH | {"visibility": "users", "users": [{"user": "ben"}] * 51}, 400),
        ("POST", "/searches/", SEARCH | {"visibility": "users", "users": ["ben"]}, 400),
        ("POST", "/searches/", SEARCH | {"owner": "ben"}, 400),
        ("POST", "/searches/", b'{"title": "a", "title": "b"}', 400),
        ("POST", "/searches/", b"x" * 600_000, 413),
        ("POST", "/collections/", SEARCH, 400),
        ("GET", "/searches/?size=101", None, 400),
        ("GET", "/searches/?before=7", None, 400),
        ("GET", "/searches/?orphaned=yes", None, 400),
        ("GET", "/searches/?orphaned=true", None, 403),
        ("GET", "/collections/?orphaned=true", None, 403),
        ("GET", "/searches/7", None, 404),
        ("PUT", "/searches/7", SEARCH, 404),
        ("PUT", f"/searches/{_NOBODYS}", SEARCH, 404),
        ("PUT", f"/searches/{_NOBODYS}/watch", {}, 404),
        ("DELETE", f"/searches/{_NOBODYS}/watch", None, 404),
        ("PUT", f"/searches/{_NOBODYS}/watch", {"interval": 59}, 400),
        ("PUT", f"/searches/{_NOBODYS}/watch", {"interval": 86_401}, 400),
        ("PUT", f"/searches/{_NOBODYS}/watch", {"interval": "300"}, 400),
        ("PUT", f"/collections/7/searches/{_NOBODYS}", {}, 404),
        ("PUT", f"/collections/7/searches/{_NOBODYS}", {"before": "x"}, 400),
        ("POST", f"/searches/{_NOBODYS}", SEARCH, 405),
        ("GET", f"/searches/{_NOBODYS}/watch", None, 405),
    ],
)
def test_a_bad_request_is_told_what_is_wrong(ask: Ask, method: str, path: str, body: Any, status: int) -> None:
    answer = ask(method, path, body, user="ayse", **({"If_Match": "*"} if method != "POST" else {}))
    assert (answer.status_code, answer["Content-Type"]) == (status, "application/problem+json"), answer.content
    assert answer.json()["detail"]
    assert not Saved.objects.exists()


def test_callers_who_ask_too_often_are_throttled(ask: Ask, settings: Settings) -> None:
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"user_rate": "2/minute"})
    statuses = [ask("POST", "/searches/", SEARCH, user="cem").status_code for _ in range(3)]
    assert statuses == [201, 201, 429]


def test_a_watch_is_begun_changed_and_ended(ask: Ask) -> None:
    path = f"{_save(ask, visibility='everyone')}/watch"
    begun = ask("PUT", path, user="ben")
    assert (begun.status_code, begun.json()) == (200, {"interval": 300, "looked_at": None, "problem": None})
    Watch.objects.update(basis="b", hashes=b"12345678")
    assert ask("PUT", path, {"interval": 60}, user="ben").json()["interval"] == 60
    row = Watch.objects.get()
    assert (row.interval, row.basis, bytes(row.hashes)) == (60, "b", b"12345678")
    assert ask("GET", "/searches/", user="ayse").json()["searches"][0]["watch"] is None
    assert ask("GET", "/searches/", user="ben").json()["searches"][0]["watch"]["interval"] == 60
    assert [ask("DELETE", path, user="ben").status_code for _ in range(2)] == [204, 204]
    assert not Watch.objects.exists()
    targets = [event.data.target for event in _events()]
    assert [(each.type, each.changed) for each in targets if each][1:] == [
        ("watch", ["/interval"]),
        ("watch", ["/interval"]),
        ("watch", [""]),
    ]


def test_who_does_not_see_a_search_any_more_does_not_watch_it(ask: Ask) -> None:
    path = _save(ask, visibility="everyone")
    for name in ("ayse", "ben", "cem"):
        ask("PUT", f"{path}/watch", user=name)
    ask("PUT", path, SEARCH | _shared(viewers=("ben",)), user="ayse", If_Match='"1"')
    assert set(Watch.objects.values_list("user__username", flat=True)) == {"ayse", "ben"}


def test_of_a_deleted_user_the_shared_ones_go_to_administrators(ask: Ask) -> None:
    shared, own = _save(ask, title="shared", **_shared(viewers=("ben",))), _save(ask, title="own")
    collection = _collect(ask, visibility="everyone")
    User.objects.get(username="ayse").delete()
    assert ask("GET", own, user="root").status_code == 404 and Saved.objects.count() == 2
    [orphan] = ask("GET", "/searches/?orphaned=true", user="root").json()["searches"]
    assert (orphan["title"], orphan["owner"], orphan["role"]) == ("shared", None, "owner")
    assert len(ask("GET", "/collections/?orphaned=true", user="root").json()["collections"]) == 1
    assert ask("GET", "/searches/", user="root").json()["searches"] == []
    assert ask("GET", shared, user="ben").json()["role"] == "viewer"
    assert ask("GET", shared, user="cem").status_code == 404
    replaced = ask("PUT", shared, SEARCH | _shared(viewers=("cem",)), user="root", If_Match='"1"')
    assert replaced.status_code == 200
    assert ask("GET", shared, user="cem").status_code == 200
    assert ask("DELETE", collection, user="root", If_Match='"1"').status_code == 204


def test_an_erasure_counts_and_deletes_what_only_the_person_saw(ask: Ask) -> None:
    _save(ask, title="own")
    path = _save(ask, title="shared", visibility="everyone")
    ask("PUT", f"{path}/watch", user="ayse")
    bens = ask("POST", "/searches/", SEARCH | _shared(viewers=("ayse",)), user="ben")["Location"]
    user = User.objects.get(username="ayse")
    rows = erasure.find_rows(user)
    counts = {what: found.count() for what, found in rows.items()}
    assert counts["saved searches and collections that nobody else sees"] == 1
    assert (counts["watches"], counts["shares"]) == (1, 1)
    erasure.delete(user, rows)
    assert set(Saved.objects.values_list("title", "owner__username")) == {("shared", None), ("Linux", "ben")}
    assert not Watch.objects.exists() and not Share.objects.exists()
    assert ask("GET", bens, user="ben").json()["users"] == []


@pytest.mark.parametrize("title", ["<img src=x onerror=alert(1)>", "=cmd()", "\u202egnp.exe", "😀" * 200, "a" * 200])
def test_hostile_titles_are_kept_as_they_are(ask: Ask, title: str) -> None:
    assert ask("GET", _save(ask, title=title), user="ayse").json()["title"] == title
