"""Foreign text and bytes, as a terminal gets them."""

from hypothesis import given
from hypothesis import strategies as st

from kit.terminal import dump, printable


def test_printable_text_stays_as_it_is() -> None:
    assert printable('Hostname = "İstanbul 🐙"') == 'Hostname = "İstanbul 🐙"'


def test_a_character_that_a_terminal_would_obey_becomes_an_escape() -> None:
    assert printable("\x1b[2J\r\n\u202e\x9b") == r"\x1b[2J\r\n\u202e\x9b"


@given(st.text())
def test_nothing_unprintable_is_left(text: str) -> None:
    assert all(each.isprintable() for each in printable(text))


def test_utf_8_is_shown_as_text() -> None:
    assert dump('{"user_id": "ş"}'.encode()) == '{"user_id": "ş"}'


def test_other_bytes_are_shown_in_hexadecimal_digits() -> None:
    lines = dump(b"\xff" * 33).splitlines()
    assert lines == [" ".join(["ff"] * 32), "ff"]
