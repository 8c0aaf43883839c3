"""Accounts that people make and mend themselves: from the log-in by a mail to a log-in."""

import re
from collections.abc import Callable, Iterator
from email import message_from_bytes, policy
from pathlib import Path
from typing import Any

import orjson
import pyotp
import pytest
from playwright.sync_api import Route, expect

from local.services import OPERATOR, USER, Services
from tests.support.identity import OTHER_PASSWORD, PASSWORD
from tests.support.visit import AXE, Visit, ask
from tests.support.waiting import eventually

pytestmark = pytest.mark.skipif(not AXE.exists(), reason="axe-core is installed by Node: make console")

_ADDRESS, _OTHER = "Zeynep@Example.com", "zeynep.other@example.com"


@pytest.fixture(autouse=True)
def mails(services: Services) -> Iterator[Path]:
    """The folder of the mails; those to the person are gone at the end: other tests look for the one that there is."""
    folder = services.home / "mail"
    yield folder
    for path in folder.glob("*"):
        if b"To: zeynep" in path.read_bytes():
            path.unlink()


def _follow(visit: Visit, mails: Path, kind: str, addressee: str) -> None:
    """Open the link of the mail, as whoever reads it does."""

    def link() -> str | None:
        for path in mails.glob("*"):
            mail = message_from_bytes(path.read_bytes().rpartition(b"\n-----")[0], policy=policy.default)
            found = re.search(rf"^http\S+#{kind}=\S+$", mail.get_content(), re.MULTILINE)
            if mail["To"] == addressee and found:
                return found[0]
        return None

    address = eventually(link, "the mail is there")
    visit.page.goto(address)
    expect(visit.page.get_by_role("dialog")).to_be_visible()
    assert address.partition("=")[2] not in visit.page.url


def test_who_signs_up_follows_the_mail_and_logs_in(visit: Visit, mails: Path) -> None:
    visit.page.goto(visit.services.gateway_url)
    visit.page.get_by_role("button", name="Sign up").click()
    assert visit.findings() == []
    visit.page.get_by_label("Mail address").fill(_ADDRESS)
    visit.page.get_by_label("Your name").fill("Zeynep")
    visit.page.get_by_label("Password").fill("123456789012345")
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("alert")).to_contain_text("entirely numeric")
    visit.page.get_by_label("Password").fill(PASSWORD)
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("status").filter(has_text=f"Look into the mailbox of {_ADDRESS}")).to_be_visible()
    _follow(visit, mails, "sign-up", _ADDRESS.lower())
    assert visit.findings() == []
    visit.page.get_by_role("button", name="Make my account").click()
    expect(visit.page.get_by_text("Your address is confirmed. Log in with it.")).to_be_visible()
    expect(visit.page.get_by_label("User name")).to_have_value(_ADDRESS.lower())
    visit.log_in(_ADDRESS, PASSWORD)
    expect(visit.page.get_by_role("button", name="Log out")).to_be_visible()


def test_a_forgotten_password_is_set_anew_by_the_mail(visit: Visit, mails: Path, services: Services) -> None:
    ask(services, "POST", "/auth/users", OPERATOR, username="zeynep", email=_OTHER)
    visit.page.goto(services.gateway_url)
    visit.page.get_by_role("button", name="Forgot your password?").click()
    visit.page.get_by_label("Mail address").fill(_OTHER)
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("status").filter(has_text="Look into the mailbox")).to_be_visible()
    _follow(visit, mails, "reset", _OTHER)
    assert visit.findings() == []
    visit.page.get_by_role("textbox", name="New password").fill(OTHER_PASSWORD)
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_text("Your password is set. Log in with it.")).to_be_visible()
    # By the address: it is all that somebody may remember who has forgotten the password.
    visit.log_in(_OTHER, OTHER_PASSWORD)
    expect(visit.page.locator(".who")).to_contain_text("zeynep")
    # A link works once; the page that is open says so, and loses nothing.
    _follow(visit, mails, "reset", _OTHER)
    visit.page.get_by_role("textbox", name="New password").fill(PASSWORD)
    visit.page.keyboard.press("Enter")
    expect(visit.page.get_by_role("dialog").get_by_role("alert")).to_contain_text(
        "The link is invalid, used or has expired"
    )
    visit.page.get_by_role("button", name="Cancel").click()
    expect(visit.page.locator(".who")).to_contain_text("zeynep")


def test_a_second_factor_is_set_up_in_the_page_and_asked_for_from_then_on(visit: Visit, services: Services) -> None:
    ask(services, "POST", "/auth/users", OPERATOR, username="careful", password=PASSWORD, indices=["devices"])
    page = visit.page
    page.goto(services.gateway_url)
    visit.log_in("careful", PASSWORD)
    page.get_by_role("button", name="Second factor").click()
    dialog = page.get_by_role("dialog")
    key = dialog.locator(".key")
    expect(key).to_be_visible()
    assert visit.findings() == []
    dialog.get_by_label("First code").fill("000000")
    page.keyboard.press("Enter")
    expect(dialog.get_by_role("alert")).not_to_be_empty()
    dialog.get_by_label("First code").fill(pyotp.TOTP(key.inner_text().replace(" ", "")).now())
    page.keyboard.press("Enter")
    codes = dialog.get_by_role("list", name="Recovery codes").get_by_role("listitem")
    expect(codes).to_have_count(10)
    assert visit.findings() == []
    recovery = codes.first.inner_text()
    dialog.get_by_role("button", name="I have kept them").click()
    # Once is once.
    expect(dialog).to_have_count(0)
    page.get_by_role("button", name="Second factor").click()
    expect(dialog.get_by_role("alert")).to_contain_text("You have a second factor")
    dialog.get_by_role("button", name="Cancel").click()
    page.get_by_role("button", name="Log out").click()
    page.get_by_label("User name").fill("careful")
    page.get_by_label("Password").fill(PASSWORD)
    page.keyboard.press("Enter")
    page.get_by_label("Code of your authenticator").fill(recovery)
    page.keyboard.press("Enter")
    expect(page.locator(".who")).to_contain_text("careful")


def test_who_needs_a_second_factor_and_has_none_sets_it_up_in_the_log_in(visit: Visit) -> None:
    page, shown = visit.page, []

    def answer(http_status: int, **body: Any) -> Callable[[Route], None]:
        def fulfil(route: Route) -> None:
            shown.append(orjson.loads(route.request.post_data or "{}").get("ticket"))
            route.fulfill(status=http_status, json=body)

        return fulfil

    # No role of the demo's needs one.
    needed = {"status": 401, "code": "factor_required", "detail": "…", "ticket": "a-ticket", "enrolled": False}
    page.route("**/auth/login", answer(401, **needed))
    page.route(
        "**/auth/totp", answer(200, secret="JBSWY3DPEHPK3PXP", uri="otpauth://totp/Sluice:x?secret=JBSWY3DPEHPK3PXP")
    )
    page.route("**/auth/totp/confirm", answer(200, recovery_codes=["one", "two"]))
    page.goto(visit.services.gateway_url)
    page.get_by_label("User name").fill("x")
    page.get_by_label("Password").fill("y")
    page.keyboard.press("Enter")
    expect(page.get_by_text("JBSW Y3DP EHPK 3PXP")).to_be_visible()
    page.get_by_label("First code").fill("123456")
    page.keyboard.press("Enter")
    page.get_by_role("button", name="I have kept them").click()
    expect(page.get_by_text("Your second factor is set up. Log in with a code of it.")).to_be_visible()
    assert shown == [None, "a-ticket", "a-ticket"]


def test_a_link_that_means_nothing_says_what_to_do(visit: Visit) -> None:
    visit.page.goto(f"{visit.services.gateway_url}/#sign-up=nothing")
    visit.page.get_by_role("button", name="Make my account").click()
    expect(visit.page.get_by_role("alert")).to_contain_text("The link is invalid or has expired; sign up again.")
    visit.page.get_by_role("button", name="Cancel").click()
    visit.log_in(USER)
    expect(visit.box).to_be_visible()
