"""Lists of a type's documents, which are searches of its index."""

from collections.abc import Iterator
from typing import Any

import orjson
import pytest
from django.test import Client
from elasticsearch.helpers import bulk
from pytest_django import Settings

from gateway.identity.models import Role, User
from gateway.inventory.catalogue import read_catalogue
from tests.support.gateway import FindEvents, elasticsearch_client

ADMIN = {"Authorization": "Octoxlabs b2N0b0FkbWlu"}
NDJSON = "application/x-ndjson"


@pytest.fixture
def products(stack: Settings) -> Iterator[None]:
    """The index of the type ``product``, as the relay would fill it."""
    del stack
    User.objects.update(role=Role.ADMIN)
    properties = read_catalogue().types["product"].properties
    client = elasticsearch_client()
    # Another test's relay may have made the index, or one whose alias has its name.
    for name in client.indices.get(index="products*"):
        client.indices.delete(index=name)
    client.indices.create(index="products", mappings={"dynamic": "strict", "properties": properties})
    found = [
        {"_index": "products", "_id": f"A-{number}", "sku": f"A-{number}", "name": "Hammer", "price": number}
        for number in range(5)
    ]
    bulk(client, found, refresh=True)
    yield
    client.indices.delete(index="products")


@pytest.mark.usefixtures("products")
def test_a_list_takes_what_a_search_takes_and_answers_alike(client: Client, find_events: FindEvents) -> None:
    parameters: dict[str, Any] = {"q": "price >= 2", "sort": "-price", "fields": "sku", "size": 2}
    answer = client.get("/inventory/product", parameters, headers=ADMIN)
    found = answer.json()
    assert (answer.status_code, found["count"], found["results"]) == (200, 3, [{"sku": "A-4"}, {"sku": "A-3"}])
    (event,) = find_events(answer["X-Request-ID"])
    assert (event["event_type"], event["user_id"], event["data"]["query"], event["data"]["index"]) == (
        "inventory.read",
        "octoAdmin",
        "price >= 2",
        "products",
    )
    assert event["data"]["target"] == {"type": "product", "id": None, "version": None, "changed": None}
    assert client.get("/inventory/product", headers=ADMIN).json()["count"] == 5
    refused = client.get("/inventory/product", {"index": "devices"}, headers=ADMIN)
    assert (refused.status_code, refused.json()["code"]) == (400, "malformed")
    rejected = client.get("/inventory/product", {"q": "prise = 2"}, headers=ADMIN).json()
    assert (rejected["code"], rejected["suggestions"]) == ("unknown_field", ["price"])


@pytest.mark.usefixtures("products")
def test_a_list_is_read_on_by_a_cursor_and_as_a_stream(client: Client) -> None:
    start: dict[str, Any] = {"cursor": "start", "size": 4, "sort": "sku"}
    first = client.get("/inventory/product", start, headers=ADMIN).json()
    more: dict[str, Any] = {"cursor": first["next"], "size": 4, "sort": "sku"}
    rest = client.get("/inventory/product", more, headers=ADMIN).json()
    assert [each["sku"] for each in first["results"] + rest["results"]] == [f"A-{number}" for number in range(5)]
    stream = client.get("/inventory/product", {"sort": "sku"}, headers=ADMIN | {"Accept": NDJSON})
    lines = [orjson.loads(line) for line in b"".join(stream).splitlines()]
    assert [each["sku"] for each in lines] == [f"A-{number}" for number in range(5)]


@pytest.mark.usefixtures("products")
def test_a_list_is_exported_as_csv_that_an_import_takes(client: Client) -> None:
    answer = client.get("/inventory/product", {"q": "price < 2", "sort": "sku"}, headers=ADMIN | {"Accept": "text/csv"})
    body = b"".join(answer)
    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert body.splitlines() == [b"/sku,/name,/price,/brand", b"A-0,Hammer,0,", b"A-1,Hammer,1,"]
    imported = client.post("/inventory/product/import", body, content_type="text/csv", headers=ADMIN)
    *_, last = [orjson.loads(line) for line in b"".join(imported).splitlines()]
    assert last["summary"]["created"] == 2
    some = client.get(
        "/inventory/product", {"fields": "price", "q": "sku = A-3"}, headers=ADMIN | {"Accept": "text/csv"}
    )
    assert b"".join(some) == b"/price\r\n3\r\n"


@pytest.mark.usefixtures("products")
def test_an_unknown_caller_s_list_of_a_public_type_is_an_event_with_the_ids_that_were_read(
    client: Client, find_events: FindEvents
) -> None:
    parameters: dict[str, Any] = {"q": "price > 1", "sort": "price", "size": 2}
    answer = client.get("/inventory/product", parameters)
    assert (answer.status_code, answer["Cache-Control"]) == (200, "private, no-cache")
    (event,) = find_events(answer["X-Request-ID"])
    assert (event["event_type"], event["user_id"]) == ("inventory.read", None)
    assert event["data"]["target"]["id"] == ["A-2", "A-3"]
    long = client.get("/inventory/product", {"size": 101})
    assert (long.status_code, long.json()["code"]) == (400, "malformed")
    assert client.get("/inventory/product", {"cursor": "start"}).status_code == 401
    assert client.get("/inventory/product", headers={"Accept": NDJSON})["Content-Type"] == "application/json"


@pytest.mark.usefixtures("stack")
def test_a_list_of_a_type_that_is_not_public_takes_a_reader(client: Client) -> None:
    assert client.get("/inventory/plan").status_code == 401
    assert client.get("/inventory/plan", headers=ADMIN).status_code == 403
