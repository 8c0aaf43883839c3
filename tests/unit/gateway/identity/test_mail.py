"""The outbox, and the limits on mail."""

import logging
import threading

import pytest
from django.core import mail
from pydantic import SecretStr
from pytest_django import Settings

from gateway.http import rate_limits
from gateway.http.problems import Problem, Unavailable
from gateway.identity.mail import MAX_WAITING, Outbox, require_mail, send
from tests.support.waiting import eventually


@pytest.fixture(autouse=True)
def _budgets() -> None:
    rate_limits.memory.clear()


@pytest.fixture(name="sending")
def fixture_sending(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Settings:
    """A gateway that sends mail to the memory of the test."""
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"mail_url": SecretStr("set"), "mail_rate": "2/hour"})
    in_memory = "django.core.mail.backends.locmem.EmailBackend"
    monkeypatch.setattr("gateway.identity.mail.read_mail_url", lambda _: (in_memory, {}))
    return settings


def test_a_job_is_done_after_the_block() -> None:
    done = threading.Event()
    with Outbox().after(done.set):
        assert not done.is_set()
    assert done.wait(30)


def test_a_job_is_not_done_where_the_block_fails_and_gives_its_place_back() -> None:
    outbox, done = Outbox(), threading.Event()
    for _ in range(MAX_WAITING + 1):
        with pytest.raises(KeyError), outbox.after(done.set):
            raise KeyError
    assert not done.is_set()


def test_no_more_jobs_wait_than_there_is_room_for() -> None:
    outbox, open_ = Outbox(), threading.Event()

    def wait() -> None:
        open_.wait(30)

    try:
        for _ in range(MAX_WAITING):
            with outbox.after(wait):
                pass
        with pytest.raises(Unavailable), outbox.after(wait):
            pass
    finally:
        open_.set()


def test_a_job_that_fails_is_logged_without_its_words_and_takes_no_room(caplog: pytest.LogCaptureFixture) -> None:
    def fail() -> None:
        raise OSError("ayse@example.com was refused")

    outbox = Outbox()
    with caplog.at_level(logging.ERROR, "gateway.identity.mail"):
        for _ in range(MAX_WAITING):
            with outbox.after(fail):
                pass
        eventually(lambda: len(caplog.records) == MAX_WAITING, "every job has failed")
    assert {record.getMessage() for record in caplog.records} == {"a mail cannot be sent: OSError"}
    done = threading.Event()
    with outbox.after(done.set):
        pass
    assert done.wait(30)


@pytest.mark.usefixtures("sending")
def test_a_place_asks_for_so_many_mails() -> None:
    for address in ("2001:db8::1", "2001:db8::2"):
        require_mail(address)
    with pytest.raises(Problem) as caught:
        require_mail("2001:db8::3")
    assert caught.value.status == 429
    require_mail("192.0.2.1")


@pytest.mark.usefixtures("sending")
def test_a_mail_says_that_a_program_wrote_it_and_an_addressee_gets_five_an_hour() -> None:
    for _ in range(6):
        send("ayse@example.com", "subject", "text")
    sent = mail.outbox  # pylint: disable=no-member  # the backend of tests makes it
    assert len(sent) == 5
    message = sent[0].message()
    assert (message["Auto-Submitted"], message["From"]) == ("auto-generated", "sluice@localhost")


def test_a_gateway_without_mail_says_so(settings: Settings) -> None:
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"mail_url": None})
    with pytest.raises(Problem, match="GATEWAY_MAIL_URL") as caught:
        require_mail("192.0.2.1")
    assert caught.value.status == 403
