"""The client's address: the peer's, or what trusted proxies say of it.

Why: ``X-Forwarded-For`` is read from the right, as long as a trusted proxy wrote the entry; the leftmost entry is
whatever the client likes, and a count of proxies is wrong as soon as somebody reaches the gateway past one.
``Forwarded`` (RFC 7239) is ignored, because a proxy that writes one header passes the other on unchanged. Headers with
an underscore are dropped before, as WSGI cannot tell ``X_Forwarded_For`` from ``X-Forwarded-For``.
"""

from collections.abc import Callable, Collection, Mapping
from functools import lru_cache
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from typing import Any

from django.conf import settings
from django.http import HttpRequest
from django.http.response import HttpResponseBase

Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network


def client_address(peer: str, forwarded_for: str, trusted: Collection[Network]) -> str:
    """Find the address of the client itself.

    Each proxy adds the address of its own peer at the right of ``X-Forwarded-For``. So the list is read from there, for
    as long as the address that added the entry is a trusted proxy's; what is left of that, anybody may have written.

    Args:
        peer: the address at the other end of the connection.
        forwarded_for: the header ``X-Forwarded-For``, several of them joined with commas; empty if missing.
        trusted: the proxies' networks.
    """
    address = _read(peer)
    if address is None:
        return peer
    entries = forwarded_for
    while entries and _is_in(address, trusted):
        entries, _, entry = entries.rpartition(",")
        before = _read(entry.strip())
        if before is None:
            break
        address = before
    return str(address)


def is_trusted(peer: str, trusted: Collection[Network]) -> bool:
    """Whether the address at the other end of the connection is a trusted proxy's."""
    address = _read(peer)
    return address is not None and _is_in(address, trusted)


def _is_in(address: Address, networks: Collection[Network]) -> bool:
    return any(address in network for network in networks)


def _read(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    # As a socket for both families shows an IPv4 peer.
    return getattr(address, "ipv4_mapped", None) or address


@lru_cache(maxsize=4_096)
def neighbourhood(address: str) -> str:
    """Place that a client asks from: an IPv4 address, or the /64 network of an IPv6 one, which a host has."""
    read = _read(address)
    return str(ip_network((read, 64), strict=False)) if isinstance(read, IPv6Address) else address


def client_of(environ: Mapping[str, Any]) -> str:
    """The address of a request's client.

    Args:
        environ: the request as WSGI has it (PEP 3333).
    """
    trusted = settings.GATEWAY.trusted_proxies
    peer: str = environ["REMOTE_ADDR"]
    return client_address(peer, environ.get("HTTP_X_FORWARDED_FOR", ""), trusted) if trusted else peer


def find_client(get_response: Callable[[HttpRequest], HttpResponseBase]) -> Callable[[HttpRequest], HttpResponseBase]:
    """Put the client's address into ``REMOTE_ADDR``, and the scheme it asked a trusted proxy by into the request."""

    def middleware(request: HttpRequest) -> HttpResponseBase:
        peer = request.META["REMOTE_ADDR"]
        request.META["REMOTE_ADDR"] = client_of(request.META)
        if request.META.get("HTTP_X_FORWARDED_PROTO") == "https" and is_trusted(peer, settings.GATEWAY.trusted_proxies):
            # Django reads the scheme from it, and compares a form's origin with it.
            request.META["wsgi.url_scheme"] = "https"
        return get_response(request)

    return middleware
