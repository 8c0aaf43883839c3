"""Deaths of the process and of Kafka while notifications come: each comes once, in order."""

import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from websockets.exceptions import ConnectionClosed, InvalidHandshake

from tests.integration.gateway.live.conftest import AYSE, Stack, running_stack
from tests.support.broker import Broker, broker
from tests.support.gateway import Backing
from tests.support.live import NOTIFICATIONS
from tests.support.waiting import eventually

CHANGES = 1_000


@pytest.fixture
def node(tmp_path: Path) -> Iterator[Broker]:
    """A broker that may be killed."""
    (tmp_path / "kafka").mkdir()
    with broker(tmp_path / "kafka") as running:
        yield running


@pytest.fixture
def stack(node: Broker, backing: Backing, tmp_path: Path) -> Iterator[Stack]:
    """The stack on that broker."""
    with running_stack(tmp_path, node.settings.bootstrap_servers, backing, "sqlite") as running:
        yield running


class _Client(threading.Thread):
    """A client that comes again from where it stood, as ``sluice-client.js`` does."""

    def __init__(self, stack: Stack) -> None:
        super().__init__(daemon=True)
        self._stack = stack
        self._authorization = f"Bearer {stack.token(AYSE)}"
        self.stopping = threading.Event()
        self.numbers: list[int] = []
        self.connections = 0

    def run(self) -> None:
        """Follow, until it is stopped."""
        while not self.stopping.is_set():
            try:
                self._follow()
            except (ConnectionClosed, InvalidHandshake, OSError, EOFError, TimeoutError):
                self.stopping.wait(0.2)

    def _follow(self) -> None:
        with self._stack.live.socket(NOTIFICATIONS, Authorization=self._authorization) as socket:
            socket.expect("hello")
            self.connections += 1
            socket.send("since", id=self.numbers[-1] if self.numbers else 0)
            unacknowledged = 0
            while not self.stopping.is_set():
                frame = socket.read(within=30)
                if frame["type"] != "notifications":
                    return
                self.numbers += [item["number"] for item in frame["items"]]
                unacknowledged += 1
                # As the client does: receipts together, as ten frames a second are taken.
                if unacknowledged % 20 == 0:
                    socket.send("ack", id=self.numbers[-1])


def test_each_notification_comes_once_and_in_order_while_the_process_and_kafka_are_killed(
    stack: Stack, node: Broker
) -> None:
    client = _Client(stack)
    client.start()
    telling = threading.Thread(target=stack.tell, args=(CHANGES,))
    telling.start()
    eventually(lambda: len(client.numbers) >= 50, "notifications come")
    stack.live.kill()
    stack.live.start()
    before = len(client.numbers)
    eventually(
        lambda: len(client.numbers) > before or not telling.is_alive(), "they go on after the process was killed"
    )
    node.kill()
    eventually(lambda: len(client.numbers) == CHANGES or not telling.is_alive(), "they go on without Kafka")
    stack.live.kill()
    stack.live.start()
    node.start()
    telling.join()
    eventually(lambda: len(client.numbers) >= CHANGES, "all have come")
    # They may all have come before the second death.
    eventually(lambda: client.connections >= 3, "the client has come again after each death")
    client.stopping.set()
    assert client.numbers == list(range(1, CHANGES + 1))
