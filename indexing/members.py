"""Metrics of running consumers, asked over HTTP."""

import socket
from dataclasses import dataclass

import urllib3
from prometheus_client.parser import text_string_to_metric_families

from indexing.metrics import OLDEST_UNSETTLED_SECONDS, PAUSED

_ANSWER_SECONDS = 2.0
_MAX_BYTES = 4 * 1024 * 1024
_HTTP = urllib3.PoolManager(retries=False, timeout=_ANSWER_SECONDS)


class MemberUnreachable(Exception):
    """No consumer answers at the address, or its answer cannot be read; the message says which."""


@dataclass(frozen=True, slots=True)
class Member:
    """One consumer: how many of its partitions are paused, and the age in seconds of its oldest unsettled record."""

    paused: int
    oldest_seconds: float


def addresses(host: str, port: int) -> list[str]:
    """Every ``host:port`` that a name stands for; a service's name stands for all of its replicas.

    Raises:
        MemberUnreachable: the name cannot be resolved.
    """
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    except (OSError, UnicodeError) as error:  # the latter for what is no name at all
        raise MemberUnreachable(str(error)) from error
    hosts = sorted({str(address[0]) for *_, address in found})
    return [f"[{each}]:{port}" if ":" in each else f"{each}:{port}" for each in hosts]


def ask(address: str, consumer: str) -> Member:
    """Read a consumer's metrics.

    Args:
        address: its ``host:port``.
        consumer: its name.

    Raises:
        MemberUnreachable: nothing answers within two seconds, or something else does.
    """
    try:
        answer = _HTTP.request("GET", f"http://{address}/metrics", preload_content=False)
        try:
            return _member(answer.read(_MAX_BYTES).decode("utf-8"), consumer)
        finally:
            answer.close()
    except urllib3.exceptions.NewConnectionError:
        raise MemberUnreachable("nothing listens there") from None
    except urllib3.exceptions.HTTPError as error:
        raise MemberUnreachable(f"{type(error).__name__}") from error
    except (KeyError, ValueError):
        raise MemberUnreachable(f"the answer there is not that of {consumer}") from None


def _member(exposition: str, consumer: str) -> Member:
    samples = {
        sample.name: sample.value
        for family in text_string_to_metric_families(exposition)
        for sample in family.samples
        if sample.labels == {"consumer": consumer}
    }
    paused, oldest = (
        samples[metric.name] for gauge in (PAUSED, OLDEST_UNSETTLED_SECONDS) for metric in gauge.describe()
    )
    return Member(int(paused), oldest)
