"""A bucket's server (moto), in a process and a virtual environment of its own, and one that is ill."""

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
import urllib3

from local import ports
from tests.support.faulty_proxy import FaultyProxy, Reply
from tests.support.paths import ROOT
from tests.support.process import running
from tests.support.waiting import wait_until_up

BUCKET = "sluice-lake"
_PROGRAM = ROOT / "build" / "s3" / "bin" / "moto_server"
_HOP_BY_HOP = frozenset({"connection", "date", "server", "transfer-encoding"})


@contextmanager
def s3_server(log: Path) -> Iterator[str]:
    """A server with an empty bucket, until the context ends; its address.

    The test is skipped where ``make build/s3/made.stamp`` was not called, except in CI.
    """
    if not _PROGRAM.exists() and "CI" not in os.environ:
        pytest.skip("there is no S3-compatible server: make build/s3/made.stamp")
    [port] = ports.free(1)
    url = f"http://127.0.0.1:{port}"
    with running(str(_PROGRAM), "-H", "127.0.0.1", "-p", str(port), log=log):
        wait_until_up(f"{url}/moto-api/")
        make_bucket(url)
        yield url


def make_bucket(url: str) -> None:
    """Make the bucket."""
    answer = urllib3.request("PUT", f"{url}/{BUCKET}")
    assert answer.status == 200, answer.data


def variables(url: str) -> dict[str, str]:
    """The variables of a lake in the bucket of a server."""
    return {
        "LAKE_URL": f"s3://{BUCKET}/lake",
        "LAKE_S3_ENDPOINT": url,
        "LAKE_S3_ACCESS_KEY_ID": "a key of the tests",
        "LAKE_S3_SECRET_ACCESS_KEY": "its secret",
    }


class FaultyBucket(FaultyProxy):
    """A proxy in front of a bucket's server.

    Attributes:
        is_overloaded: whether every request is answered with 503, as S3 does where there are too many.
    """

    def __init__(self, url: str) -> None:
        super().__init__(url)
        self.is_overloaded = False

    def ask(self, method: str, path: str, headers: dict[str, str], body: bytes) -> Reply:
        """Pass a request on, or refuse it."""
        if self.is_overloaded:
            return Reply(503, b"<Error><Code>SlowDown</Code></Error>", {"Content-Type": "application/xml"})
        answer = urllib3.request(method, self.target + path, body=body, headers=headers, retries=False)
        kept = {name: value for name, value in answer.headers.items() if name.lower() not in _HOP_BY_HOP}
        return Reply(answer.status, answer.data, kept)
