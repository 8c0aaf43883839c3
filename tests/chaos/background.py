"""Work that goes on in a thread of its own while a context lasts."""

import threading
from abc import ABC, abstractmethod
from types import TracebackType


class Background(ABC):
    """Begins with the context, is told when that ends, and is waited for."""

    def __init__(self) -> None:
        self._ended = threading.Event()
        self._thread = threading.Thread(target=self._run)

    def __enter__(self) -> None:
        self._thread.start()

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._ended.set()
        self._thread.join()

    @abstractmethod
    def _run(self) -> None:
        """Work until ``_ended`` is set."""
