"""The inventory survives hostile documents and servers that are down, on SQLite and PostgreSQL."""

from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
import urllib3

from local import ports
from tests.integration.gateway.inventory.conftest import Writers
from tests.support.gateway import AUTHORIZATION, Gateway

NDJSON = "application/x-ndjson"
PATCH = "application/merge-patch+json"


@pytest.fixture
def sku() -> str:
    """An id that no other test has."""
    return uuid4().hex


def _lines(writers: Writers, type_: str, lines: list[dict[str, Any]]) -> dict[str, int]:
    body = b"\n".join(orjson.dumps(line) for line in lines)
    answer = writers.ask("POST", f"/inventory/{type_}/import", body, Content_Type=NDJSON)
    summary = orjson.loads(answer.data.splitlines()[-1])["summary"]
    assert isinstance(summary, dict)
    return summary


def _declare(writers: Writers, name: str, **members: Any) -> Any:
    schema = {"type": "object", "properties": {"name": {"type": "string"}}, "additionalProperties": False}
    return writers.ask("PUT", f"/inventory-types/{name}", {"schema": schema, "index": name} | members)


def test_a_write_and_a_read_by_id_need_the_database_alone(writers: Writers, sku: str, tmp_path: Path) -> None:
    nowhere = f"127.0.0.1:{ports.free(1)[0]}"
    own = {
        "GATEWAY_PORT": str(ports.free(1)[0]),
        "GATEWAY_SPOOL_DIR": str(tmp_path),
        # Kafka, Elasticsearch and the translator of all these gateways are down.
        "GATEWAY_REDIS_URL": f"redis://{nowhere}/0",
        "GATEWAY_MAIL_URL": f"smtp://{nowhere}",
    }
    gateway = Gateway(writers.gateways[0].environment | own)
    path = f"{gateway.url}/inventory/product/{sku}"

    def ask(method: str, body: Any = None, **headers: str) -> urllib3.BaseHTTPResponse:
        named = AUTHORIZATION | {name.replace("_", "-"): value for name, value in headers.items()}
        return urllib3.request(method, path, json=body, headers=named, retries=False, timeout=30.0)

    with gateway.started():
        product = {"sku": sku, "name": "Hammer"}
        assert ask("PUT", product).status == 201
        assert ask("GET").json() == product
        assert urllib3.request("GET", path, timeout=30.0).json() == product
        assert ask("PATCH", {"name": "Saw"}, If_Match='"1"', Content_Type=PATCH).headers["ETag"] == '"2"'
        assert ask("DELETE", If_Match='"2"').status == 204
        assert ask("GET").status == 410
        history = urllib3.request("GET", f"{path}/history", headers=AUTHORIZATION, timeout=30.0).json()
        assert [each["op"] for each in history["versions"]] == ["delete", "patch", "create"]


@pytest.mark.parametrize(
    "members",
    [
        '"name": "a", "name": "b"',
        '"name": "a", "price": NaN',
        '"name": "a", "price": -Infinity',
        '"name": "\\ud800"',
        '"name": "a", "price": 1e400',
        '"name": "a", "price": 1' + "0" * 400,
    ],
    ids=["two members of a name", "NaN", "infinity", "a lone surrogate", "1e400", "10^400"],
)
def test_json_that_is_no_document_is_refused_and_writes_nothing(writers: Writers, sku: str, members: str) -> None:
    path, body = f"/inventory/product/{sku}", f'{{"sku": "{sku}", {members}}}'.encode()
    refused = writers.ask("PUT", path, body)
    assert (refused.status, refused.json()["code"]) == (400, "malformed")
    line = writers.ask("POST", "/inventory/product/import", body, Content_Type=NDJSON)
    assert orjson.loads(line.data.splitlines()[0])["problem"]["code"] == "malformed"
    assert writers.ask("GET", path).status == 404


def test_a_merge_patch_that_makes_the_document_invalid_or_too_large_changes_nothing(writers: Writers, sku: str) -> None:
    properties = {"name": {"type": "string"}, "more": {"type": "array", "items": {"type": "string"}}}
    schema = {"type": "object", "properties": properties, "required": ["name"], "additionalProperties": False}
    assert _declare(writers, f"t{sku}", schema=schema).status == 200
    path = f"/inventory/t{sku}/d"
    document = {"name": "d", "more": ["x" * 100_000]}
    writers.ask("PUT", path, document)
    patch = partial(writers.ask, "PATCH", path, If_Match='"1"', Content_Type=PATCH)
    for changes, status, code in (
        ({"name": None}, 422, "document_invalid"),
        ({"name": 7}, 422, "document_invalid"),
        ({"other": 1}, 422, "document_invalid"),
        # Each is within the limit, and both together are not.
        ({"name": "x" * 200_000}, 413, "too_large"),
    ):
        refused = patch(changes)
        assert (refused.status, refused.json()["code"]) == (status, code), refused.data
    read = writers.ask("GET", path)
    assert (read.headers["ETag"], read.json()) == ('"1"', document)


@pytest.mark.parametrize("reference", ["file:///etc/passwd", "http://127.0.0.1:1/schema.json", "other.json"])
def test_a_schema_never_reads_anything_outside_itself(writers: Writers, sku: str, reference: str) -> None:
    schema = {"type": "object", "properties": {"name": {"$ref": reference}}, "additionalProperties": False}
    refused = _declare(writers, f"t{sku}", schema=schema)
    assert (refused.status, "nothing outside the schema is read" in refused.json()["detail"]) == (400, True)
    assert "root:" not in refused.data.decode()
    assert writers.ask("GET", f"/inventory-types/t{sku}").status == 404


def test_a_parent_has_ten_thousand_children_unless_it_embeds_them(writers: Writers, sku: str) -> None:
    for name, members in (
        ("box", {}),
        ("part", {"parent": f"box{sku}"}),
        ("note", {"parent": f"box{sku}"}),
        ("box", {"embed": [f"part{sku}"]}),
    ):
        answer = _declare(writers, f"{name}{sku}", **members)
        assert answer.status == 200, answer.data
    writers.ask("PUT", f"/inventory/box{sku}/b", {"name": "b"})
    notes = [{"_id": f"n{number:05}", "_parent": "b", "name": "n"} for number in range(10_000)]
    assert _lines(writers, f"note{sku}", notes)["created"] == 10_000
    assert writers.ask("PUT", f"/inventory/box{sku}/b/note{sku}/one-more", {"name": "n"}).status == 201

    parts = [{"_id": f"p{number:04}", "_parent": "b", "name": "p"} for number in range(1_001)]
    summary = _lines(writers, f"part{sku}", parts)
    assert (summary["created"], summary["failed"]) == (1_000, 1)
    path = f"/inventory/box{sku}/b/part{sku}"
    refused = writers.ask("PUT", f"{path}/p1000", {"name": "p"})
    assert (refused.status, refused.json()["code"]) == (409, "tree_too_large")
    assert writers.ask("DELETE", f"{path}/p0000", If_Match="*").status == 204
    assert writers.ask("PUT", f"{path}/p1000", {"name": "p"}).status == 201
    refused = writers.ask("DELETE", f"/inventory/box{sku}/b", If_Match="*")
    assert (refused.status, refused.json()["code"]) == (409, "referential")
    assert "11,001 documents stand below it" in refused.json()["detail"]
