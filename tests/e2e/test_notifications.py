"""Notifications on the embedded stack: a person signs up by mail, and is told of what another administrator writes."""

import re
from email import message_from_bytes, policy
from email.message import EmailMessage
from pathlib import Path
from typing import Any

import orjson
import urllib3

from local.services import Services
from tests.e2e.shell import commands, run
from tests.support.embedded_services import run_gateway
from tests.support.identity import PASSWORD
from tests.support.paths import ROOT
from tests.support.waiting import eventually

_PAGE = (ROOT / "docs" / "notifications.md").read_text(encoding="utf-8")
_ADDRESS = "kemal@example.com"


def _mails(services: Services) -> dict[Path, EmailMessage]:
    """The mails to the person, by their files."""
    mails = {
        path: message_from_bytes(path.read_bytes().rpartition(b"\n-----")[0], policy=policy.default)
        for path in (services.home / "mail").glob("*")
    }
    return {path: mail for path, mail in mails.items() if mail["To"] == _ADDRESS}


def _ask(services: Services, method: str, path: str, body: Any, **headers: str) -> urllib3.BaseHTTPResponse:
    return urllib3.request(
        method, f"{services.gateway_url}{path}", json=body, headers=headers, retries=False, timeout=30.0
    )


def test_another_administrator_is_told_by_mail_and_inbox(services: Services) -> None:
    asked = {"email": _ADDRESS, "password": PASSWORD, "full_name": "Kemal"}
    assert _ask(services, "POST", "/auth/signup", asked).status == 202
    [(path, link)] = eventually(lambda: _mails(services), "the link is there").items()
    # The page of the API has its readers look for the one sign-up that there is.
    path.unlink()
    token = re.search(r"#sign-up=(\S+)", link.get_content())
    assert token
    assert _ask(services, "POST", "/auth/signup/verify", {"token": token[1]}).status == 201
    run_gateway(services, "user", _ADDRESS, "--role", "admin")
    logged_in = _ask(services, "POST", "/auth/login", {"email": _ADDRESS, "password": PASSWORD}).json()
    mine = {"Authorization": f"Bearer {logged_in['access_token']}"}

    operator = {"Authorization": "Octoxlabs b2N0b09wZXJhdG9y"}
    product = {"sku": "told-1", "name": "Lamp"}
    assert _ask(services, "PUT", "/inventory/product/told-1", product, **operator).status == 201

    def mail() -> EmailMessage | None:
        subject = "product told-1 created by octoOperator"
        return next((each for each in _mails(services).values() if each["Subject"] == subject), None)

    told = eventually(mail, "the mail is there")
    assert f"{services.gateway_url}/#view=inventory&type=product&id=told-1" in told.get_content()

    answer = _ask(services, "GET", "/notifications", None, **mine).json()
    [each] = [each for each in answer["notifications"] if each["data"].get("id") == "told-1"]
    assert (each["actor"], each["read"]) == ("octoOperator", False)

    def is_noted() -> bool:
        sent = _ask(services, "GET", "/deliveries?state=sent", None, **mine).json()["deliveries"]
        return told["Message-ID"] in {f"<{each['id']}@localhost>" for each in sent}

    eventually(is_noted, "the delivery is noted as sent")


def test_the_pages_commands_work(services: Services) -> None:
    for command in commands(_PAGE):
        result = run(command.replace("curl -s", "curl -sS --fail-with-body"), services)
        assert result.returncode == 0, (command, result.stdout, result.stderr)


def test_the_body_of_a_webhook_is_the_pages() -> None:
    body = re.search(r"^    (\{\"type\".*?\}\})$", _PAGE, re.MULTILINE | re.DOTALL)
    assert body
    told = orjson.loads(body[1])
    assert set(told) == {"type", "timestamp", "data"}
    assert set(told["data"]) == {"actor", "type", "id", "version", "op", "changed"}
