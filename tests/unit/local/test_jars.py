"""Every archive is pinned by version and digest, and nothing else is put on a class path."""

import hashlib
import threading
import tomllib
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from local import jars
from local.errors import StackError
from tests.support.http_server import QuietHandler, serving


def _lock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, digest: str) -> Path:
    archive = tmp_path / "repository/org/example/thing/1.0/thing-1.0.jar"
    archive.parent.mkdir(parents=True)
    archive.write_bytes(b"an archive")
    lock = tmp_path / "jars.toml"
    lock.write_text(f'[server]\n"org.example:thing:1.0" = "{digest}"\n', encoding="utf-8")
    monkeypatch.setattr(jars, "LOCK", lock)
    monkeypatch.setenv("M2_REPO", str(tmp_path / "repository"))
    # Whatever is asked of the network fails at once.
    monkeypatch.setenv("HTTPS_PROXY", "http://127.0.0.1:9")
    return archive


def test_the_lock_pins_versions_and_digests_and_names_no_address() -> None:
    text = jars.LOCK.read_text(encoding="utf-8")
    assert "://" not in text
    servers = tomllib.loads(text)
    assert set(servers) == {"kafka", "elasticsearch"}
    for archives in servers.values():
        for coordinate, digest in archives.items():
            assert coordinate.count(":") == 2
            assert len(bytes.fromhex(digest)) == 32


def test_an_archive_in_the_cache_is_taken_without_the_network(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    archive = _lock(tmp_path, monkeypatch, hashlib.sha256(b"an archive").hexdigest())
    assert jars.fetch() == {"server": [archive]}


def test_without_a_network_the_missing_archive_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    _lock(tmp_path, monkeypatch, "00" * 32).unlink()
    with pytest.raises(StackError, match=r"thing-1\.0\.jar cannot be fetched .* check the network"):
        jars.fetch()


def test_an_archive_that_is_not_the_pinned_one_is_fetched_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    archive = _lock(tmp_path, monkeypatch, "00" * 32)
    with pytest.raises(StackError, match="cannot be fetched"):
        jars.fetch()
    assert not archive.exists()


@pytest.fixture
def repository() -> Iterator[tuple[str, list[str]]]:
    """The address of a repository with one archive, sent in two parts, and the archives that it was asked for."""
    asked: list[str] = []
    both = threading.Event()

    class Handler(QuietHandler):
        """Sends the second half once a second client asks, or after a second."""

        def do_GET(self) -> None:  # pylint: disable=invalid-name  # the library's name
            """Send an archive."""
            if not self.path.endswith(".jar"):
                self.send_error(404)
                return
            asked.append(self.path)
            if len(asked) == 2:
                both.set()
            self.send_response(200)
            self.send_header("Content-Length", "10")
            self.end_headers()
            self.wfile.write(b"an ar")
            self.wfile.flush()
            both.wait(1)
            self.wfile.write(b"chive")

    with serving(Handler, threads=True) as url:
        yield url, asked


def test_two_who_fetch_at_once_do_not_take_each_others_half_archives(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, repository: tuple[str, list[str]]
) -> None:
    address, asked = repository
    archive = _lock(tmp_path, monkeypatch, hashlib.sha256(b"an archive").hexdigest())
    archive.unlink()
    monkeypatch.delenv("HTTPS_PROXY")
    monkeypatch.setattr(jars, "MAVEN_CENTRAL_URL", address)
    with ThreadPoolExecutor(2) as threads:
        assert list(threads.map(lambda _: jars.fetch(), range(2))) == [{"server": [archive]}] * 2
    assert archive.read_bytes() == b"an archive"
    assert len(asked) == 1
