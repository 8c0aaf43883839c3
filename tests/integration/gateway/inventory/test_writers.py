"""Writers of the inventory that are in each other's way, on SQLite and on PostgreSQL."""

import threading
from collections import Counter
from collections.abc import Iterator
from functools import partial
from pathlib import Path
from typing import Any
from uuid import uuid4

import orjson
import pytest
import urllib3

from local import ports
from tests.integration.gateway.inventory.conftest import AT_ONCE, Writers
from tests.support.gateway import AUTHORIZATION, Connection, Gateway, kill
from tests.support.waiting import eventually

NDJSON = "application/x-ndjson"
PATCH = "application/merge-patch+json"


def _product(sku: str, **members: Any) -> dict[str, Any]:
    return {"sku": sku, "name": "x", **members}


def _statuses(answers: list[Any]) -> dict[int, int]:
    return dict(Counter(answer.status for answer in answers))


def _delete(writers: Writers, path: str, gateway: int) -> Any:
    return writers.ask("DELETE", path, None, gateway, If_Match="*")


@pytest.fixture
def sku() -> str:
    """An id that no other test has."""
    return uuid4().hex


def test_of_writers_with_one_etag_one_writes_and_the_others_are_told_so(writers: Writers, sku: str) -> None:
    path = f"/inventory/product/{sku}"
    created = writers.at_once(
        *(partial(writers.ask, "PUT", path, _product(sku, price=number)) for number in range(AT_ONCE))
    )
    assert _statuses(created) == {201: 1, 428: AT_ONCE - 1}
    for version in range(1, 11):
        tag = f'"{version}"'
        write = [
            lambda gateway, number=number, version=version, tag=tag: writers.ask(
                "PUT", path, _product(sku, price=100 * version + number), gateway, If_Match=tag
            )
            for number in range(AT_ONCE)
        ]
        answers = writers.at_once(*write)
        assert _statuses(answers) == {200: 1, 412: AT_ONCE - 1}
        assert {answer.headers["ETag"] for answer in answers} == {f'"{version + 1}"'}


def test_no_update_is_lost_and_the_history_has_each_in_the_order_of_commits(writers: Writers, sku: str) -> None:
    path = f"/inventory/product/{sku}"
    writers.ask("PUT", path, _product(sku, price=0))

    def count_up(gateway: int) -> None:
        for _ in range(10):
            while True:
                read = writers.ask("GET", path, None, gateway)
                patch = {"price": read.json()["price"] + 1}
                tag = read.headers["ETag"]
                written = writers.ask("PATCH", path, patch, gateway, If_Match=tag, Content_Type=PATCH)
                if written.status == 200:
                    break
                assert written.status == 412

    writers.at_once(*[count_up] * 8)
    assert writers.ask("GET", path).json()["price"] == 80
    versions = writers.ask("GET", f"{path}/history").json()["versions"]
    assert [each["version"] for each in versions] == list(range(81, 0, -1))
    prices = [writers.ask("GET", f"{path}/history/{number}").json()["document"]["price"] for number in range(1, 82)]
    assert prices == list(range(81))


def test_a_child_never_stands_below_a_parent_that_is_deleted(writers: Writers, sku: str) -> None:
    for number in range(10):
        plan = f"/inventory/plan/{sku}-{number}"
        writers.ask("PUT", plan, {"name": "Gold"})
        create = partial(writers.ask, "POST", f"{plan}/member-cost-share", {"copay": 1})
        delete = partial(_delete, writers, plan)
        created, deleted = writers.at_once(create, delete)
        assert (created.status, deleted.status) in ((201, 409), (409, 204))
        below = writers.ask("GET", f"{plan}/member-cost-share")
        assert below.status == (200 if deleted.status == 409 else 410)


def test_a_document_is_never_deleted_that_another_has_come_to_refer_to(writers: Writers, sku: str) -> None:
    outcomes = set()
    for number in range(20):
        service, plan = f"/inventory/service/{sku}-{number}", f"/inventory/plan/{sku}-{number}"
        writers.ask("PUT", service, {"name": "Check-up"})
        writers.ask("PUT", plan, {"name": "Gold"})
        refer = partial(writers.ask, "POST", f"{plan}/plan-service", {"service": f"{sku}-{number}"})
        referred, deleted = writers.at_once(refer, partial(_delete, writers, service))
        outcomes.add((referred.status, deleted.status))
    assert outcomes <= {(201, 409), (409, 204)}


def test_one_request_that_is_sent_many_times_at_once_is_done_once(writers: Writers, sku: str) -> None:
    send = [
        lambda gateway: writers.ask("POST", "/inventory/service", {"name": sku}, gateway, Idempotency_Key=sku)
    ] * AT_ONCE
    answers = writers.at_once(*send)
    assert _statuses(answers) == {201: AT_ONCE}
    assert len({answer.headers["Location"] for answer in answers}) == 1


def test_a_request_that_is_sent_again_while_it_is_worked_on_has_its_answer_too(writers: Writers, sku: str) -> None:
    path = f"/inventory/product/{sku}"
    for version in range(1, 10, 3):
        for method, body, precondition, status in (
            ("PUT", _product(sku, price=version), {}, 201),
            ("PATCH", {"price": version + 1}, {"If-Match": f'"{version}"', "Content-Type": PATCH}, 200),
            ("DELETE", None, {"If-Match": f'"{version + 1}"'}, 204),
        ):
            key = {"Idempotency-Key": f"{sku}-{version}-{method}"}
            send = partial(writers.ask, method, path, body)
            answers = writers.at_once(
                *[lambda gateway, send=send, named=precondition | key: send(gateway, **named)] * AT_ONCE
            )
            assert _statuses(answers) == {status: AT_ONCE}, answers[0].data


def test_a_gateway_that_is_killed_between_commit_and_answer_has_done_each_request_once(
    writers: Writers, sku: str, tmp_path: Path
) -> None:
    own = {"GATEWAY_PORT": str(ports.free(1)[0]), "GATEWAY_SPOOL_DIR": str(tmp_path)}
    gateway = Gateway(writers.gateways[0].environment | own)
    done: dict[str, str] = {}
    ends = threading.Event()

    def write(number: int) -> None:
        pool = urllib3.PoolManager(retries=False)
        for count in range(1_000_000):
            key = f"{sku}-{number}-{count}"
            done[key] = ""
            try:
                body = orjson.dumps({"name": key})
                headers = AUTHORIZATION | {"Idempotency-Key": key}
                answer = pool.request("POST", f"{gateway.url}/inventory/service", body=body, headers=headers)
                done[key] = answer.headers["Location"]
            except urllib3.exceptions.HTTPError:
                return
            if count == 20:
                ends.set()

    threads = [threading.Thread(target=write, args=(number,)) for number in range(4)]
    with gateway.started() as process:
        for thread in threads:
            thread.start()
        assert ends.wait(30)
        kill(process)
        for thread in threads:
            thread.join()
    for key, location in done.items():
        first = writers.ask("POST", "/inventory/service", {"name": key}, Idempotency_Key=key)
        again = writers.ask("POST", "/inventory/service", {"name": key}, Idempotency_Key=key)
        assert first.status == 201
        assert first.headers["Location"] == again.headers["Location"]
        assert location in ("", first.headers["Location"])


def test_imports_that_overlap_in_opposite_orders_end_and_lose_nothing(writers: Writers, sku: str) -> None:
    ids = [f"{sku}-{number}" for number in range(600)]

    def lines(price: int, order: int) -> bytes:
        return b"\n".join(orjson.dumps(_product(each, price=price)) for each in ids[::order])

    # A user has one import at a time in each process.
    answers = writers.at_once(
        *(
            lambda gateway, order=order: writers.ask(
                "POST", "/inventory/product/import", lines(order + 5, order), gateway, Content_Type=NDJSON
            )
            for order in (1, -1)
        )
    )
    summaries = [orjson.loads(answer.data.splitlines()[-1])["summary"] for answer in answers]
    assert [summary["failed"] for summary in summaries] == [0, 0]
    assert sum(summary["created"] for summary in summaries) == 600
    assert sum(summary["replaced"] for summary in summaries) == 600
    assert {writers.ask("GET", f"/inventory/product/{each}").headers["ETag"] for each in ids[::50]} == {'"2"'}


def test_an_import_is_read_as_it_comes_and_answered_to_a_client_that_reads_last(writers: Writers, sku: str) -> None:
    def lines() -> Iterator[bytes]:
        for number in range(20_000):
            yield orjson.dumps(_product(f"{sku}-{number}")) + b"\n"

    answer = writers.ask("POST", "/inventory/product/import", lines(), Content_Type=NDJSON)
    *results, last = answer.data.splitlines()
    assert (answer.status, len(results)) == (200, 20_000)
    assert orjson.loads(last)["summary"]["created"] == 20_000


def test_a_file_is_imported_from_the_command_line(writers: Writers, sku: str, tmp_path: Path) -> None:
    file = tmp_path / "products.csv"
    file.write_text(f"sku,name,price\n{sku},Hammer,10.5\n{sku}-2,Saw,dear\n", encoding="utf-8")
    command = ["import", "product", str(file), "--user", "octoAdmin", "--url", writers.gateways[0].url]
    result = writers.gateways[0].run(*command)
    assert (result.returncode, result.stdout) == (
        1,
        "lines 2, created 1, replaced 0, unchanged 0, deleted 0, failed 1\n",
    )
    assert result.stderr == "line 2: The cell of price is no JSON, such as 3 or true.\n"
    assert writers.ask("GET", f"/inventory/product/{sku}").json()["price"] == 10.5
    file.write_text(f"sku,name\n{sku}-2,Saw\n", encoding="utf-8")
    assert writers.gateways[0].run(*command).returncode == 0
    refused = writers.gateways[0].run("import", "nothing", *command[2:])
    assert (refused.returncode, "no type" in refused.stderr) == (2, True)
    missing = writers.gateways[0].run("import", "product", str(tmp_path / "missing"), *command[3:])
    assert (missing.returncode, "No such file" in missing.stderr) == (1, True)


def test_an_import_that_is_cut_has_written_whole_transactions_and_goes_on_by_its_key(
    writers: Writers, sku: str
) -> None:
    ids = [f"{sku}-{number}" for number in range(1_200)]
    body = b"".join(orjson.dumps(_product(each)) + b"\n" for each in ids)
    with Connection(writers.gateways[0]) as connection:
        head = "".join(f"{name}: {value}\r\n" for name, value in AUTHORIZATION.items() if name != "Content-Type")
        connection.send(
            f"POST /inventory/product/import HTTP/1.1\r\nHost: localhost\r\n{head}Content-Type: {NDJSON}\r\n"
            f"Idempotency-Key: {sku}\r\nContent-Length: {len(body)}\r\n\r\n{body[: len(body) * 3 // 4].decode()}"
        )
    answer = writers.ask("POST", "/inventory/product/import", body, 1, Content_Type=NDJSON, Idempotency_Key=sku)
    *results, last = [orjson.loads(line) for line in answer.data.splitlines()]
    assert last["summary"] == {
        "lines": 1_200,
        "created": 1_200,
        "replaced": 0,
        "unchanged": 0,
        "deleted": 0,
        "failed": 0,
    }
    assert [each["version"] for each in results] == [1] * 1_200

    def may_import_again() -> bool:
        status: int = writers.ask("POST", "/inventory/product/import", b"", Content_Type=NDJSON).status
        return status == 200

    eventually(may_import_again, "the import that was cut has ended")


def test_a_value_that_the_database_cannot_hold_fails_alone(writers: Writers, sku: str) -> None:
    writers.ask("PUT", f"/inventory/plan/{sku}", {"name": "Gold"})
    lines = [
        {"_id": f"{sku}-1", "_parent": sku, "copay": 1},
        {"_id": f"{sku}-2", "_parent": "a\0b", "copay": 1},
        {"_id": f"{sku}-3", "_parent": sku, "copay": 1},
    ]
    body = b"\n".join(orjson.dumps(line) for line in lines)
    answer = writers.ask("POST", "/inventory/member-cost-share/import", body, Content_Type=NDJSON)
    *results, last = [orjson.loads(line) for line in answer.data.splitlines()]
    assert [each["result"] for each in results] == ["created", "failed", "created"]
    assert last["summary"]["created"] == 2


@pytest.mark.parametrize(
    ("path", "status"),
    [("/inventory/product/%00", 404), ("/inventory/product/" + "x" * 5_000, 404), ("/inventory/%00/x", 404)],
)
def test_a_path_that_the_database_cannot_hold_is_the_client_s_mistake(path: str, status: int, writers: Writers) -> None:
    assert writers.ask("GET", path).status in (status, 400)


def test_of_administrators_who_declare_a_type_at_once_one_creates_it(writers: Writers, sku: str) -> None:
    schema = {"type": "object", "properties": {"value": {"type": "string"}}, "additionalProperties": False}
    declare = partial(writers.ask, "PUT", f"/inventory-types/n{sku}", {"schema": schema, "index": f"n{sku}"})
    answers = writers.at_once(*[declare] * 4)
    assert Counter(answer.json()["outcome"] for answer in answers) == {"created": 1, "unchanged": 3}


def test_a_schema_is_changed_while_documents_are_written_and_each_fits_the_one_of_its_time(
    writers: Writers, sku: str
) -> None:
    name = f"t{sku}"

    def definition(kind: str) -> dict[str, Any]:
        properties = {"value": {"type": kind}}
        schema = {"type": "object", "properties": properties, "additionalProperties": False}
        return {"schema": schema, "index": name, "accept_existing": True}

    assert writers.ask("PUT", f"/inventory-types/{name}", definition("string")).status == 200

    def change(gateway: int) -> list[int]:
        return [
            writers.ask("PUT", f"/inventory-types/{name}", definition(kind), gateway).status
            for kind in ["integer", "string"] * 5
        ]

    def write(gateway: int) -> list[int]:
        bodies: list[dict[str, Any]] = [{"value": "text"}, {"value": 1}]
        return [writers.ask("POST", f"/inventory/{name}", bodies[n % 2], gateway).status for n in range(40)]

    changed, *written = writers.at_once(change, *[write] * 4)
    assert set(changed) == {200}
    statuses = Counter(status for each in written for status in each)
    assert set(statuses) <= {201, 422}
    planned = writers.ask("PUT", f"/inventory-types/{name}?dry_run=true", definition("integer")).json()
    assert planned["misfits"] <= statuses[201]
