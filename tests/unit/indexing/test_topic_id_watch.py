"""A topic that was made again is noticed by its id, without waiting for an answer."""

from concurrent.futures import Future
from types import SimpleNamespace
from typing import Any

import pytest
from confluent_kafka import KafkaError, KafkaException

from indexing.topic_id_watch import TopicIdWatch


class _Admin:
    """A cluster that answers when the test lets it, at the test's time."""

    def __init__(self) -> None:
        self.now = 0.0
        self.asked: list[Future[SimpleNamespace]] = []

    def describe_topics(self, _topics: Any, request_timeout: float) -> dict[str, "Future[SimpleNamespace]"]:
        """Take a question."""
        assert request_timeout > 0
        self.asked.append(Future())
        return {"t": self.asked[-1]}

    def answer(self, topic_id: str) -> None:
        """Answer the last question."""
        self.asked[-1].set_result(SimpleNamespace(topic_id=topic_id))


@pytest.fixture(name="admin")
def fixture_admin(monkeypatch: pytest.MonkeyPatch) -> _Admin:
    """A cluster."""
    admin = _Admin()
    monkeypatch.setattr("indexing.topic_id_watch.time", SimpleNamespace(monotonic=lambda: admin.now))
    return admin


@pytest.fixture(name="watch")
def fixture_watch(admin: _Admin) -> TopicIdWatch:
    """A watch of its topic."""
    return TopicIdWatch(admin, "t")  # type: ignore[arg-type]  # as much of a client as it uses


def test_another_id_is_a_change_once_the_answer_is_there(admin: _Admin, watch: TopicIdWatch) -> None:
    assert not watch.has_changed("one")
    assert not watch.has_changed("one"), "nobody has answered"
    admin.answer("two")
    assert watch.has_changed("one")


def test_the_same_id_and_an_unknown_one_are_no_change(admin: _Admin, watch: TopicIdWatch) -> None:
    for known in ("one", None):
        assert not watch.has_changed(known)
        admin.answer("one")
        assert not watch.has_changed(known)
        admin.now += 10


def test_it_is_asked_every_few_seconds_and_never_twice_at_once(admin: _Admin, watch: TopicIdWatch) -> None:
    for admin.now in (0.0, 1.0, 30.0):
        assert not watch.has_changed("one")
    assert len(admin.asked) == 1
    admin.answer("one")
    assert not watch.has_changed("one")
    assert not watch.has_changed("one")
    assert len(admin.asked) == 2


def test_a_cluster_that_fails_is_no_change_and_is_asked_again(admin: _Admin, watch: TopicIdWatch) -> None:
    assert not watch.has_changed("one")
    admin.asked[-1].set_exception(KafkaException(KafkaError(KafkaError._TRANSPORT)))  # pylint: disable=protected-access
    assert not watch.has_changed("one")
    admin.now += 10
    assert not watch.has_changed("one")
    admin.answer("two")
    assert watch.has_changed("one")
