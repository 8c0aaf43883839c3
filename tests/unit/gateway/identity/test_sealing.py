"""Sealed texts."""

import pytest
from joserfc import jwe
from joserfc.jwk import OctKey
from pytest_django import Settings

from gateway.identity.sealing import MAX_CHARACTERS, seal, unseal


def test_what_was_sealed_is_opened_for_its_purpose_alone() -> None:
    sealed = seal("one", [1, "a", None])
    assert unseal("one", sealed) == [1, "a", None]
    assert unseal("another", sealed) is None


def test_the_same_value_is_never_sealed_in_the_same_way() -> None:
    assert seal("one", "a") != seal("one", "a")


def test_another_secret_key_opens_nothing(settings: Settings) -> None:
    sealed = seal("one", "a")
    settings.SECRET_KEY = "another key"
    assert unseal("one", sealed) is None


@pytest.mark.parametrize("place", range(5))
def test_a_changed_part_is_refused(place: int) -> None:
    parts = seal("one", "a value of some length").split(".")
    parts[place] = "AAAA" + parts[place][4:]
    assert unseal("one", ".".join(parts)) is None


@pytest.mark.parametrize(
    "text",
    ["", ".", "....", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0", "ş", "eyJhbGciOiJkaXIiLCJlbmMiOiJBMjU2R0NNIn0..ş.a.b"],
)
def test_what_is_no_sealed_text_is_refused(text: str) -> None:
    assert unseal("one", text) is None


@pytest.mark.parametrize("header", [{"alg": "dir", "enc": "A128GCM"}, {"alg": "dir", "enc": "A256GCM", "zip": "DEF"}])
def test_another_header_is_refused(header: dict[str, str]) -> None:
    key = OctKey.import_key(b"x" * (16 if header["enc"] == "A128GCM" else 32))
    assert unseal("one", jwe.encrypt_compact(header, b"1", key)) is None


def test_a_long_text_is_refused_unread() -> None:
    sealed = seal("one", "a" * MAX_CHARACTERS)
    assert unseal("one", sealed) is None
