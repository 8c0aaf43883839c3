"""Headers that are trusted for a client's address."""

from ipaddress import ip_network

import pytest
from django.http import HttpResponse
from django.test import RequestFactory
from pytest_django import Settings

from gateway.http.client_address import client_address, find_client, neighbourhood

TRUSTED = (ip_network("10.0.0.0/8"), ip_network("fd00::/8"))


@pytest.mark.parametrize(
    ("peer", "forwarded_for", "expected"),
    [
        ("203.0.113.9", "", "203.0.113.9"),
        ("203.0.113.9", "198.51.100.7", "203.0.113.9"),
        ("10.0.0.1", "", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "1.1.1.1, 198.51.100.7", "198.51.100.7"),
        ("10.0.0.1", "1.1.1.1,198.51.100.7 , 10.0.0.2", "198.51.100.7"),
        ("10.0.0.1", "10.0.0.3, 10.0.0.2", "10.0.0.3"),
        ("10.0.0.1", "198.51.100.7, unknown", "10.0.0.1"),
        ("10.0.0.1", "198.51.100.7, unknown, 10.0.0.2", "10.0.0.2"),
        ("10.0.0.1", ",,,", "10.0.0.1"),
        ("::ffff:10.0.0.1", "::ffff:198.51.100.7", "198.51.100.7"),
        ("fd00::1", "2001:db8::7", "2001:db8::7"),
        ("fd00::1", "198.51.100.7:4711", "fd00::1"),
    ],
)
def test_the_list_is_read_from_the_right_as_far_as_trusted_proxies_wrote_it(
    peer: str, forwarded_for: str, expected: str
) -> None:
    assert client_address(peer, forwarded_for, TRUSTED) == expected


def test_without_trusted_proxies_no_header_is_believed() -> None:
    assert client_address("10.0.0.1", "198.51.100.7", ()) == "10.0.0.1"


def test_hosts_of_one_ipv6_network_are_one_place_and_ipv4_addresses_are_each_their_own() -> None:
    assert neighbourhood("2001:db8:0:1::7") == neighbourhood("2001:db8:0:1:ffff::8")
    assert neighbourhood("2001:db8:0:1::7") != neighbourhood("2001:db8:0:2::7")
    assert neighbourhood("198.51.100.7") != neighbourhood("198.51.100.8")


@pytest.mark.parametrize(
    ("peer", "forwarded_proto", "scheme"),
    [
        ("10.0.0.1", "https", "https"),
        ("10.0.0.1", "http", "http"),
        ("10.0.0.1", "javascript", "http"),
        ("203.0.113.9", "https", "http"),
    ],
)
def test_the_scheme_is_what_a_trusted_proxy_was_asked_by(
    peer: str, forwarded_proto: str, scheme: str, settings: Settings
) -> None:
    settings.GATEWAY = settings.GATEWAY.model_copy(update={"trusted_proxies": TRUSTED})
    headers = {"X-Forwarded-For": "198.51.100.7", "X-Forwarded-Proto": forwarded_proto}
    request = RequestFactory(REMOTE_ADDR=peer).get("/", headers=headers)
    answer = find_client(lambda request: HttpResponse(request.scheme))(request)
    assert isinstance(answer, HttpResponse)
    assert answer.content.decode() == scheme
