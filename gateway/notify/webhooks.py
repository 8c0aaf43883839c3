"""Delivery by webhook, as https://www.standardwebhooks.com has it: a POST that is signed by a secret of the receiver.

The address of a webhook is a user's own word, and the worker stands in the inner network. So there is https alone, with
a certificate of an authority that is trusted; a connection is made only to an address of the internet or of
``GATEWAY_WEBHOOK_NETWORKS``, looked at as it is connected to; redirects are not followed, and the answer is not read
beyond its limit.
"""

import secrets
from base64 import b64encode
from datetime import UTC, datetime
from http import HTTPStatus
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from urllib.parse import urlsplit

from django.conf import settings
from standardwebhooks import Webhook

from gateway.identity.sealing import seal, unseal
from gateway.notify.models import MAX_URL_CHARACTERS, Delivery
from gateway.notify.outcomes import Permanent, Withdrawn
from gateway.notify.texts import webhook_body
from kit import __version__
from kit.http_exchange import AddressRefused, AnswerTooLarge, HttpExchange, NoAnswer, NotTrusted, TimedOut

TIMEOUT_SECONDS = 10.0
_MAX_ANSWER_BYTES = 64 * 1024
_SECRET_BYTES = 32
_SECRET = "gateway.notify.webhook"
# Addresses that stand for one of IPv4, which may be an inner one: NAT64, Teredo and 6to4.
_TRANSLATED = tuple(map(ip_network, ("64:ff9b::/96", "64:ff9b:1::/48", "2001::/32", "2002::/16")))
_REASONS = {
    AddressRefused: "the address's host is not on the internet, and not in GATEWAY_WEBHOOK_NETWORKS",
    NotTrusted: "the server's certificate is not trusted",
    TimedOut: f"no answer within {TIMEOUT_SECONDS:.0f} seconds",
    AnswerTooLarge: f"the answer is longer than {_MAX_ANSWER_BYTES} bytes",
}


class Refused(Exception):
    """The receiver did not take it; says how in words that name nobody."""


def new_secret() -> str:
    """A secret by which a receiver's webhooks are signed."""
    return f"whsec_{b64encode(secrets.token_bytes(_SECRET_BYTES)).decode()}"


def seal_secret(secret: str) -> str:
    """The secret as the database keeps it."""
    return seal(_SECRET, secret)


def read_secret(sealed: str) -> str | None:
    """The secret that ``seal_secret`` sealed; None if that was by another key."""
    secret: str | None = unseal(_SECRET, sealed)
    return secret


def check_address(address: str) -> str | None:
    """Say why an address cannot be a webhook's; None if it can, as far as its text tells."""
    if len(address) > MAX_URL_CHARACTERS:
        return f"The address has more than {MAX_URL_CHARACTERS:,} characters."
    if not address.isascii() or not address.isprintable() or " " in address:
        return "The address has other characters than visible ones of ASCII; percent-encode them."
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        return "This is no address such as https://example.com/hooks."
    if parts.scheme != "https" or not host:
        return "A webhook's address begins with https:// and a host."
    if "@" in parts.netloc or "#" in address or "\\" in address:
        return "The address has a user, a fragment or a backslash, which webhooks have not."
    return _check_literal(host)


def _check_literal(host: str) -> str | None:
    """As ``check_address``, of a host; a name is looked up when the webhook is sent."""
    try:
        address = str(ip_address(host))
    except ValueError:
        return None
    return None if may_connect(address) else "The address is not on the internet."


def may_connect(address: str) -> bool:
    """Whether a webhook may be sent to an IP address."""
    ip: IPv4Address | IPv6Address = ip_address(address.partition("%")[0])
    if isinstance(ip, IPv6Address) and ip.ipv4_mapped is not None:
        ip = ip.ipv4_mapped
    if any(ip in network for network in settings.GATEWAY.webhook_networks):
        return True
    return ip.is_global and not ip.is_multicast and not any(ip in network for network in _TRANSLATED)


def send_webhook(delivery: Delivery) -> None:
    """Send a notification to the webhook of its subscription.

    Raises:
        Withdrawn: the subscription has no webhook any more, or its user is inactive.
        Permanent: the receiver is gone, or the secret cannot be read.
        Refused: to be tried again.
    """
    subscription = delivery.subscription
    if subscription is None or not subscription.webhook or not subscription.user.is_active:
        raise Withdrawn
    secret = read_secret(subscription.sealed_secret)
    if secret is None:
        raise Permanent("the secret was sealed by another GATEWAY_SECRET_KEY; set the webhook anew")
    body = webhook_body(delivery.notification)
    status = _post(subscription.webhook, body, _headers(f"msg_{delivery.pk.hex}", secret, body))
    if status == HTTPStatus.GONE:
        raise Permanent("the receiver answered 410: it takes no more")
    if not HTTPStatus.OK <= status < HTTPStatus.MULTIPLE_CHOICES:
        raise Refused(f"the receiver answered {status}")


def _headers(message_id: str, secret: str, body: bytes) -> dict[str, str]:
    now = datetime.now(UTC)
    return {
        "Content-Type": "application/json",
        "User-Agent": f"Sluice/{__version__}",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": Webhook(secret).sign(message_id, now, body.decode()),
    }


class _WebhookExchange(HttpExchange):
    """An exchange with a receiver, whose address is a secret of its own: traces have neither host nor path."""

    def __init__(self, url: str) -> None:
        super().__init__(
            url,
            connections=0,
            limit=_MAX_ANSWER_BYTES,
            ca_certs=settings.GATEWAY.webhook_ca_certs,
            may_connect=may_connect,
        )
        self._server = {}

    def _describe(self, method: str, path: str) -> tuple[str, dict[str, str | int]]:
        del path
        return f"{method} webhook", {}


def _post(address: str, body: bytes, headers: dict[str, str]) -> int:
    parts = urlsplit(address)
    target = (parts.path or "/") + (f"?{parts.query}" if parts.query else "")
    exchange = _WebhookExchange(f"https://{parts.netloc}")
    try:
        return exchange.ask("POST", target, timeout=TIMEOUT_SECONDS, body=body, headers=headers).status
    except NoAnswer as error:
        raise Refused(_REASONS.get(type(error), "no connection to the server")) from None
