"""Mail by SMTP: a real gateway, a real server, and links that work."""

import re
from collections.abc import Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import pytest
import urllib3
from aiosmtpd.controller import Controller

from local import ports
from tests.support.gateway import Backing, Gateway, configured_gateway
from tests.support.identity import OTHER_PASSWORD, PASSWORD
from tests.support.waiting import eventually

ADDRESS = "ayse@example.com"


class _Mailbox:  # pylint: disable=too-few-public-methods  # as the library has it
    """Keeps what the server is given."""

    def __init__(self) -> None:
        self.envelopes: list[Any] = []

    async def handle_DATA(  # pylint: disable=invalid-name  # as the library has it
        self, _server: Any, _session: Any, envelope: Any
    ) -> str:
        """Take a mail."""
        self.envelopes.append(envelope)
        return "250 OK"


@pytest.fixture
def mailbox() -> Iterator[tuple[_Mailbox, int]]:
    """A mail server on a port of this machine."""
    box, port = _Mailbox(), ports.free(1)[0]
    controller = Controller(box, "127.0.0.1", port)
    controller.start()
    yield box, port
    controller.stop()


def _post(gateway: Gateway, path: str, **body: Any) -> int:
    return urllib3.request("POST", f"{gateway.url}{path}", json=body, retries=False, timeout=30.0).status


def test_somebody_signs_up_and_forgets_the_password(
    backing: Backing, tmp_path: Path, mailbox: tuple[_Mailbox, int]
) -> None:
    box, port = mailbox
    mail_url = f"smtp://127.0.0.1:{port}"
    gateway = configured_gateway(tmp_path, backing, GATEWAY_SIGNUP="true", GATEWAY_MAIL_URL=mail_url)

    def link(number: int) -> str:
        eventually(lambda: len(box.envelopes) == number, "the mail is there")
        envelope = box.envelopes[-1]
        assert envelope.rcpt_tos == [ADDRESS]
        message = message_from_bytes(envelope.content, policy=policy.default)
        found = re.search(r"^http://127\.0\.0\.1:8000/#[\w-]+=(\S+)\s*$", message.get_content(), re.MULTILINE)
        assert found
        return found[1]

    with gateway.started():
        assert _post(gateway, "/auth/signup", email=ADDRESS, password=PASSWORD, full_name="Ayşe") == 202
        assert _post(gateway, "/auth/login", email=ADDRESS, password=PASSWORD) == 401
        assert _post(gateway, "/auth/signup/verify", token=link(1)) == 201
        assert _post(gateway, "/auth/login", email=ADDRESS, password=PASSWORD) == 200
        assert _post(gateway, "/auth/password/forgot", email=ADDRESS) == 202
        assert _post(gateway, "/auth/password/reset", token=link(2), new_password=OTHER_PASSWORD) == 204
        assert _post(gateway, "/auth/login", email=ADDRESS, password=OTHER_PASSWORD) == 200


def test_a_mail_server_that_is_away_changes_no_answer(backing: Backing, tmp_path: Path, closed_port: int) -> None:
    log = tmp_path / "log"
    mail_url = f"smtp://127.0.0.1:{closed_port}"
    gateway = configured_gateway(tmp_path, backing, GATEWAY_SIGNUP="true", GATEWAY_MAIL_URL=mail_url)
    with gateway.started(log=log):
        assert _post(gateway, "/auth/signup", email=ADDRESS, password=PASSWORD, full_name="") == 202
        eventually(lambda: "a mail cannot be sent: ConnectionRefusedError" in log.read_text(), "the failure is logged")
    assert ADDRESS not in log.read_text()
