"""Objects that live as long as the process."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

from gateway.http.per_process import PerProcess


def test_threads_that_ask_at_once_get_the_same_object() -> None:
    made = PerProcess(object, tuple)
    together = Barrier(8)

    def ask() -> object:
        together.wait()
        return made()

    with ThreadPoolExecutor(8) as threads:
        assert len(set(threads.map(lambda _: ask(), range(8)))) == 1


def test_other_settings_have_an_object_of_their_own_which_is_kept() -> None:
    settings = ["a"]
    made = PerProcess(lambda name: [name], lambda: (settings[0],))
    first = made()
    settings[0] = "b"
    assert made() == ["b"]
    settings[0] = "a"
    assert made() is first
