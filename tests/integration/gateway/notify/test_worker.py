"""The worker tells of changes on the real servers: by inbox, mail and webhook, whatever is down or killed meanwhile."""

from contextlib import ExitStack
from pathlib import Path
from typing import Any

import orjson
from standardwebhooks import Webhook

from tests.integration.gateway.notify.conftest import TYPE, Telling
from tests.support.gateway import kill
from tests.support.mailbox import mail_server
from tests.support.process import python, running
from tests.support.waiting import eventually
from tests.support.worker import NewWorker

_OTHER = "octoother@example.com"

_TELL = """
import random
from datetime import UTC, datetime
from gateway.inventory.transactions import transact
from gateway.notify.inbox import Message, tell
from gateway.notify.models import Kind
from gateway.identity.models import User

users = list(User.objects.values_list("pk", flat=True))
for number in range(150):
    message = Message(Kind.SAVED_CHANGED, f"NAME-{number}", datetime.now(UTC), None, {"search": f"NAME-{number}"})
    some = random.sample(users, len(users))
    transact(lambda: tell(message, some))
"""


def test_a_change_is_in_the_inbox_the_mailbox_and_at_the_webhook(telling: Telling, new_worker: NewWorker) -> None:
    wanted = {"type": TYPE, "members": ["/size"], "webhook": f"{telling.receiver.url}/hooks", "email": True}
    made = telling.ask("POST", "/subscriptions", wanted, user="octoOther")
    assert made.status == 201, made.data
    new_worker().wait_until_ready()
    telling.put("a", name="x")
    telling.put("a", name="y")
    telling.put("a", name="y", size=3)
    eventually(lambda: len(telling.inbox()) == 3, "all is in the inbox")
    eventually(lambda: len(telling.receiver.received) == 2, "the webhook has what concerns it")
    eventually(lambda: len(telling.mailbox.ids(_OTHER)) == 2, "and so has the mailbox")
    assert telling.inbox("octoAdmin") == []
    assert {address for address, _ in telling.mailbox.mails} == {_OTHER}
    assert [each["data"]["version"] for each in telling.inbox()] == [1, 2, 3]
    for _, headers, body in telling.receiver.received:
        Webhook(made.json()["secret"]).verify(body, headers)
    versions = [orjson.loads(body)["data"]["version"] for _, _, body in telling.receiver.received]
    assert versions == [1, 3]
    subjects = [message["Subject"] for _, message in telling.mailbox.mails]
    assert subjects == [f"{TYPE} a created by octoAdmin", f"{TYPE} a changed by octoAdmin"]
    eventually(lambda: len(telling.deliveries("sent")) == 4, "all are noted as sent")


def test_an_import_is_one_mail(telling: Telling, new_worker: NewWorker) -> None:
    new_worker().wait_until_ready()
    lines = b"".join(orjson.dumps({"_id": f"d{number}", "name": "x"}) + b"\n" for number in range(1_200))
    media_type = {"Content_Type": "application/x-ndjson"}
    assert telling.ask("POST", f"/inventory/{TYPE}/import", lines, **media_type).status == 200
    telling.put("after", name="x")
    eventually(lambda: len(telling.mailbox.mails) == 2, "two mails")
    subjects = [message["Subject"] for _, message in telling.mailbox.mails]
    assert subjects == [f"{TYPE} after created by octoAdmin", f"{TYPE}: 1,200 changed by an import by octoAdmin"]
    assert [each["kind"] for each in telling.inbox()] == ["inventory.changed", "inventory.imported"]


def test_writes_go_on_without_mail_and_webhooks_and_each_is_delivered_once_they_are_back(
    telling: Telling, new_worker: NewWorker
) -> None:
    wanted = {"type": TYPE, "webhook": telling.receiver.url, "email": True}
    assert telling.ask("POST", "/subscriptions", wanted, user="octoOther").status == 201
    telling.mailbox.answer = "451 not now"
    telling.receiver.statuses = [503] * 3
    new_worker().wait_until_ready()
    for number in range(3):
        telling.put(f"d{number}", name="x")
    eventually(lambda: len(telling.inbox()) == 3, "the inbox needs neither")
    eventually(lambda: [each for each in telling.deliveries("pending") if each["error"]], "a failure is visible")
    telling.mailbox.answer = "250 OK"

    def delivered() -> bool:
        telling.make_due()
        return len(telling.deliveries("sent")) == 6

    eventually(delivered, "all is delivered")
    ids = telling.mailbox.ids(_OTHER)
    assert len(ids) == len(set(ids)) == 3
    assert len({headers["webhook-id"] for _, headers, _ in telling.receiver.received}) == 3


def test_a_worker_killed_between_the_providers_yes_and_its_row_sends_one_double_with_the_same_id(
    telling: Telling, new_worker: NewWorker
) -> None:
    first = new_worker()
    first.wait_until_ready()
    telling.mailbox.before_yes = lambda: kill(first.process) if first.is_running else None
    telling.put("a", name="x")
    eventually(lambda: not first.is_running, "the worker is killed when the mail was taken")
    [taken] = telling.mailbox.ids(_OTHER)
    [claimed] = telling.deliveries("pending")
    assert claimed["attempts"] == 1
    second = new_worker()
    second.wait_until_ready()
    eventually(lambda: b"gateway_relay_leads 1.0" in second.get("/metrics").data, "the other one leads")
    telling.make_due()
    eventually(lambda: telling.deliveries("sent"), "it is sent")
    assert telling.mailbox.ids(_OTHER) == [taken, taken]
    telling.put("b", name="x")
    eventually(lambda: len(telling.mailbox.ids(_OTHER)) == 3, "the next is another")
    assert len(telling.inbox()) == 2


def test_a_mailbox_that_is_refused_is_dead_and_sent_again_by_the_command(
    telling: Telling, new_worker: NewWorker
) -> None:
    telling.mailbox.answer = "550 no such mailbox"
    worker = new_worker()
    worker.wait_until_ready()
    telling.put("a", name="x")
    # A refusal of the mail, not of the mailbox, is tried again.
    eventually(lambda: [each for each in telling.deliveries("pending") if each["error"]], "it is tried again")
    assert telling.gateway.change_rows("UPDATE notify_delivery SET state = 'dead'") == 1
    [dead] = telling.deliveries("dead")
    listed = telling.gateway.run("deliveries")
    assert dead["id"] in listed.stdout and "octoOther" in listed.stdout
    eventually(lambda: b'gateway_deliveries_dead{channel="email"} 1.0' in worker.get("/metrics").data, "it is counted")
    telling.mailbox.answer = "250 OK"
    again = telling.gateway.run("deliveries", "--resend")
    assert again.stdout == "1 are sent again\n", again.stderr
    eventually(lambda: telling.mailbox.ids(_OTHER), "it is sent")


def test_mails_go_out_while_kafka_is_away(telling: Telling, new_worker: NewWorker, closed_port: int) -> None:
    with mail_server() as (box, port):
        first = new_worker()
        first.wait_until_ready()
        telling.mailbox.answer = "451 not now"
        telling.put("a", name="x")
        eventually(lambda: telling.deliveries("pending"), "a mail waits")
        assert first.stop() == 0
        telling.gateway.environment |= {
            "KAFKA_BOOTSTRAP_SERVERS": f"127.0.0.1:{closed_port}",
            "GATEWAY_MAIL_URL": f"smtp://127.0.0.1:{port}",
        }
        telling.make_due()
        new_worker()
        eventually(lambda: box.ids(_OTHER), "the mail is sent")


def test_numbers_of_an_inbox_are_committed_in_their_order_however_many_write(telling: Telling, tmp_path: Path) -> None:
    """A reader who goes on after the last number sees each notification once, and none comes late before it."""
    seen: dict[str, list[dict[str, Any]]] = {"octoAdmin": [], "octoOther": []}

    def read_on() -> bool:
        for user, rows in seen.items():
            rows += telling.inbox(user, len(rows))
        return all(len(rows) == 450 for rows in seen.values())

    with ExitStack() as running_writers:
        writers = [
            running_writers.enter_context(
                running(
                    *python("gateway", "shell", "--no-imports", "-c", _TELL.replace("NAME", name)),
                    environment=telling.gateway.environment,
                    log=tmp_path / f"{name}.log",
                )
            )
            for name in ("one", "two", "three")
        ]
        eventually(read_on, "both readers have seen everything")
        assert [writer.wait(60) for writer in writers] == [0, 0, 0]
    for rows in seen.values():
        assert [row["number"] for row in rows] == list(range(1, 451))
        assert len({str(row["data"]) for row in rows}) == 450
