"""``POST /search`` against the real translator, Elasticsearch and Kafka."""

from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from pytest_django import Settings

from elastic.demo_inventory import GENERATED, NAMED
from elastic.settings import ElasticsearchSettings
from tests.support.faulty_proxy import in_front_of
from tests.support.gateway import Search, elasticsearch_client
from tests.support.waiting import eventually


def _names(response: Any) -> list[str]:
    return [result["Hostname"] for result in response.json()["results"]]


def test_the_main_query_finds_the_named_devices(search: Search) -> None:
    response = search("Hostname = octoxlabs*")
    assert response.status_code == 200
    assert response["Content-Type"] == "application/json"
    answer = response.json()
    assert set(answer) == {"query_id", "count", "count_relation", "took_ms", "results", "next", "notices"}
    assert (answer["count"], answer["count_relation"], answer["next"]) == (NAMED, "eq", None)
    assert sorted(_names(response)) == [f"octoxlabs{number:02}" for number in range(1, NAMED + 1)]
    assert answer["results"][0]["OS"]["Type"]
    assert answer["notices"] == []


@pytest.mark.parametrize("members", [{}, {"cursor": "start"}], ids=["page", "cursor"])
def test_a_query_that_probably_means_something_else_runs_and_is_told_so(
    members: dict[str, Any], search: Search
) -> None:
    answer = search("Hostname = 'octoxlabs*'", size=1, **members).json()
    assert answer["count"] == 0
    (notice,) = answer["notices"]
    assert set(notice) == {"code", "message", "position", "end", "suggestion"}
    assert (notice["code"], notice["position"], notice["end"]) == ("quoted_wildcard", 11, 23)
    assert notice["suggestion"] == "octoxlabs*"


def test_every_page_of_a_cursor_tells_the_same_notices(search: Search) -> None:
    query = "Hostname = octoxlabs* AND NOT Hostname = 'x*'"
    first = search(query, size=6, cursor="start").json()
    second = search(query, size=6, cursor=first["next"]).json()
    assert (len(second["results"]), second["next"]) == (6, None)
    assert [notice["code"] for notice in first["notices"]] == ["quoted_wildcard"]
    assert second["notices"] == first["notices"]


def test_an_empty_query_is_every_document(search: Search) -> None:
    answer = search("", size=0).json()
    assert (answer["count"], answer["results"]) == (GENERATED + NAMED, [])


def test_every_page_of_a_search_is_read_from_the_same_copies_of_the_shards(search: Search, stack: Settings) -> None:
    with in_front_of(stack.ELASTICSEARCH.url) as proxy:
        stack.ELASTICSEARCH = ElasticsearchSettings(url=proxy.url)
        pages = [_names(search("Hostname = octoxlabs*", size=6, page=page)) for page in (1, 2)]
        assert search("Hostname = octoxlabs01").status_code == 200
    assert len({*pages[0], *pages[1]}) == NAMED
    first, second, other = [parse_qs(urlsplit(target).query)["preference"] for target in proxy.targets]
    assert first == second != other


def test_fields_are_the_ones_asked_for(search: Search) -> None:
    answer = search("Hostname = octoxlabs01", fields=["Hostname", "OS.Type"]).json()
    (device,) = answer["results"]
    assert set(device) == {"Hostname", "OS"}
    assert set(device["OS"]) == {"Type"}


def test_a_name_in_fields_may_be_in_another_letter_case(search: Search) -> None:
    assert search("Hostname = octoxlabs01", fields=["hostname"]).json()["results"] == [{"Hostname": "octoxlabs01"}]


def test_a_document_without_the_fields_is_still_a_result(search: Search) -> None:
    assert search("Hostname = octoxlabs01", fields=["Labels.nothing"]).json()["results"] == [{}]


@pytest.mark.parametrize(("name", "closest"), [("Hostnme", "Hostname"), ("OS.Typ", "OS.Type"), ("Ip.keyword", "Ip")])
def test_a_name_in_fields_that_no_document_has_is_answered_with_the_closest(
    name: str, closest: str, search: Search
) -> None:
    problem = search(fields=["Hostname", name]).json()
    assert (problem["status"], problem["code"]) == (400, "unknown_field")
    assert problem["detail"] == f'fields: unknown field "{name}"; did you mean "{closest}"?'


def test_a_field_that_has_just_been_mapped_can_be_named_at_once(search: Search, stack: Settings) -> None:
    index = "devices-growing"
    elasticsearch_client().indices.create(index=index)
    stack.GATEWAY = stack.GATEWAY.model_copy(update={"search_indices": (index,)})
    assert search(fields=["Later"], sort=["Hostname"]).json()["code"] == "unknown_field"
    elasticsearch_client().indices.put_mapping(index=index, properties={"Later": {"type": "keyword"}})
    eventually(lambda: search(fields=["Later"], sort=["-Later"]).status_code == 200, "the new field is known")
    elasticsearch_client().indices.delete(index=index)


@pytest.mark.parametrize(("sort", "reverse"), [("Hostname", False), ("-Hostname", True), ("hostname", False)])
def test_sort_orders_the_results(sort: str, reverse: bool, search: Search) -> None:
    found = _names(search("Hostname = octoxlabs*", sort=[sort]))
    assert found == sorted(found, reverse=reverse)


def test_pages_cover_the_answer_once(search: Search) -> None:
    pages = [_names(search("Hostname = octoxlabs*", sort=["Hostname"], size=5, page=page)) for page in (1, 2, 3, 4)]
    assert [len(page) for page in pages] == [5, 5, 2, 0]
    assert len({name for page in pages for name in page}) == NAMED


def test_the_last_reachable_page_is_served(search: Search) -> None:
    assert search("", size=1000, page=10).status_code == 200


def test_explain_returns_the_query_that_was_run(search: Search) -> None:
    assert search("Hostname = octoxlabs01", explain=True).json()["dsl"] == {"term": {"Hostname": "octoxlabs01"}}


def test_case_insensitive_is_passed_on(search: Search) -> None:
    assert search("Hostname = OCTOXLABS01").json()["count"] == 0
    assert search("Hostname = OCTOXLABS01", case_insensitive=True).json()["count"] == 1


def test_a_rejected_query_is_a_problem_with_its_place_and_picture(search: Search) -> None:
    response = search("Site = ankara AND Hostnme = octoxlabs*")
    assert response.status_code == 400
    assert response["Content-Type"] == "application/problem+json"
    problem = response.json()
    assert problem["code"] == "unknown_field"
    assert (problem["position"], problem["end"], problem["line"], problem["column"]) == (18, 25, 1, 19)
    assert problem["caret"].splitlines()[:2] == ["Site = ankara AND Hostnme = octoxlabs*", " " * 18 + "^" * 7]
    assert "Hostname" in problem["suggestions"]
    assert problem["query_id"]


@pytest.mark.parametrize(
    ("query", "code"),
    [
        ("Hostname =", "syntax"),
        ("Managed > true", "unsupported_operator"),
        ("Ip = nowhere", "type_mismatch"),
        ("(" * 60 + "Hostname = a" + ")" * 60, "too_complex"),
        ("x" * 70_000, "too_complex"),
        ("x" * 1_048_500, "too_complex"),
        ("Hostname ~ /(.*a){30}(.*b){50}.{100}/", "too_complex"),
        ("(" * 1_000_000, "too_complex"),
    ],
)
def test_a_query_that_cannot_be_run_is_a_400_of_its_kind(query: str, code: str, search: Search) -> None:
    response = search(query)
    assert (response.status_code, response.json()["code"]) == (400, code)


@pytest.mark.parametrize("length", [70_000, 1_048_500])
def test_a_query_over_the_limit_is_told_where_the_limit_is(length: int, search: Search) -> None:
    problem = search("x" * length).json()
    assert (problem["position"], problem["end"]) == (65_536, length)
    assert "65,536" in problem["detail"]


def test_a_value_longer_than_any_in_the_index_is_told_so_with_its_place(search: Search) -> None:
    problem = search(f"Hostname = {'x' * 32_767}").json()
    assert (problem["code"], problem["position"], problem["end"]) == ("too_complex", 11, 11 + 32_767)


@pytest.mark.parametrize("field", ["Description", "Software.Name", "OS", "Software"])
def test_sorting_by_a_field_without_an_order_names_one_that_has(field: str, search: Search) -> None:
    response = search(sort=[field])
    assert (response.status_code, response.json()["code"]) == (400, "malformed")
    named = response.json()["detail"].rpartition("such as ")[2].strip('".')
    assert search(sort=[named], size=1).status_code == 200


def test_sorting_by_an_unknown_field_suggests_the_closest(search: Search) -> None:
    problem = search(sort=["-Hostnme"]).json()
    assert (problem["status"], problem["code"]) == (400, "unknown_field")
    assert problem["suggestions"][0] == "Hostname"


@pytest.mark.parametrize("sort", [["Ip"], ["Labels.env"], ["Managed"], ["-RiskScore", "Hostname"], ["FirstSeen"]])
def test_every_type_with_an_order_can_be_sorted_by(sort: list[str], search: Search) -> None:
    assert search(sort=sort, size=1).status_code == 200


def test_an_index_that_is_not_there_is_not_found(search: Search) -> None:
    response = search(index="not-there")
    assert (response.status_code, response.json()["code"]) == (404, "not_found")


@pytest.mark.parametrize("index", ["query-logs-2026.01.01", "_all", "devices-gateway,query-logs", "*", "../_cluster"])
def test_an_index_that_is_not_granted_is_forbidden(index: str, search: Search) -> None:
    response = search(index=index)
    assert (response.status_code, response.json()["code"]) == (403, "forbidden")


def test_hits_are_counted_exactly_up_to_ten_thousand(search: Search, many: str) -> None:
    def count(query: str) -> tuple[int, str]:
        answer = search(query, index=many, size=1).json()
        return answer["count"], answer["count_relation"]

    assert count("Hostname < h10000") == (10_000, "eq")
    assert count("Hostname <= h10000") == (10_000, "gte")
    assert count("") == (10_000, "gte")
    assert count("Hostname = h00001") == (1, "eq")
