"""The Java archives of Kafka and Elasticsearch: pinned in ``jars.toml``, fetched once, checked by their SHA-256.

They come through jgo into the Maven repository cache that every Java tool of this user shares (``~/.m2``).
``python -m local.jars`` resolves the servers anew and rewrites the lock.
"""

import fcntl
import hashlib
import tomllib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import jgo
import requests
import tomli_w
from jgo.config import GlobalSettings
from jgo.constants import MAVEN_CENTRAL_URL
from jgo.maven import Artifact, MavenContext
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from local.errors import StackError

LOCK = Path(__file__).with_name("jars.toml")

# Each server is resolved by itself, so that neither bends the other's versions.
_SERVERS = {
    "kafka": "org.apache.kafka:kafka_2.13:4.3.0",
    "elasticsearch": "org.elasticsearch:elasticsearch:9.5.3+org.elasticsearch.plugin:transport-netty4:9.5.3",
}

Jars = dict[str, list[Path]]
"""A server's name → the archives of its class path, in the order of resolution."""


def fetch(lock_file: Path | None = None, what: str = "Kafka and Elasticsearch") -> Jars:
    """Bring every pinned archive into the cache, with a progress bar while any is missing.

    Args:
        lock_file: a table for each server: the archives' coordinates, and their SHA-256; by default ``LOCK``.
        what: the archives in words.

    Raises:
        StackError: an archive cannot be had, or is not the one that was pinned.
    """
    context = MavenContext(
        repo_cache=GlobalSettings.load().repo_cache, remote_repos={"central": MAVEN_CENTRAL_URL}, timeout=30
    )
    pinned = {
        server: {_artifact(context, coordinate): digest for coordinate, digest in archives.items()}
        for server, archives in tomllib.loads((lock_file or LOCK).read_text(encoding="utf-8")).items()
    }
    with _alone(Path(context.repo_cache)):
        _download({artifact: digest for archives in pinned.values() for artifact, digest in archives.items()}, what)
    return {server: [_cached(artifact) for artifact in archives] for server, archives in pinned.items()}


@contextmanager
def _alone(cache: Path) -> Iterator[None]:
    """Let other processes that fetch into the cache wait: jgo writes an archive where they would take it for whole."""
    cache.mkdir(parents=True, exist_ok=True)
    with (cache / ".sluice.lock").open("a", encoding="utf-8") as lock_file:
        fcntl.flock(lock_file, fcntl.LOCK_EX)
        yield


def _artifact(context: MavenContext, coordinate: str) -> Artifact:
    group, name, version = coordinate.split(":")
    return context.project(group, name).at_version(version).artifact()


def _download(pinned: dict[Artifact, str], what: str) -> None:
    missing = [artifact for artifact, digest in pinned.items() if not _intact(artifact, digest)]
    if not missing:
        return
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns) as progress:
        task = progress.add_task(f"Fetching {what}", total=len(missing))
        for artifact in missing:
            _fetch(artifact)
            if not _intact(artifact, pinned[artifact]):
                raise StackError(f"{_cached(artifact)} is not the archive that is pinned; remove it and try again")
            progress.advance(task)


def _fetch(artifact: Artifact) -> None:
    # jgo takes whatever stands in the cache, so an archive cut short by an earlier run has to go first.
    _cached(artifact).unlink(missing_ok=True)
    try:
        artifact.resolve()
    except (requests.RequestException, RuntimeError) as error:  # a RuntimeError is jgo's "not found"
        raise StackError(
            f"{artifact.filename} cannot be fetched ({type(error).__name__}): "
            "the first run needs Maven Central; check the network and try again"
        ) from error


def _cached(artifact: Artifact) -> Path:
    path = artifact.cached_path
    if path is None:
        raise StackError("jgo is configured without a repository cache; set M2_REPO to a folder")
    return path


def _intact(artifact: Artifact, digest: str) -> bool:
    path = _cached(artifact)
    return path.exists() and _sha256(path) == digest


def _sha256(path: Path) -> str:
    with path.open("rb") as archive:
        return hashlib.file_digest(archive, "sha256").hexdigest()


def lock(lock_file: Path, servers: Mapping[str, str]) -> None:
    """Resolve programs with all that they depend on, and pin what came.

    Args:
        lock_file: as of ``fetch``.
        servers: each program's name and Maven coordinates.
    """
    pinned = {
        server: {
            f"{artifact.groupId}:{artifact.artifactId}:{artifact.version}": _sha256(artifact.resolve())
            for artifact in jgo.resolve(coordinates)
        }
        for server, coordinates in servers.items()
    }
    lock_file.write_text(tomli_w.dumps(pinned), encoding="utf-8")


if __name__ == "__main__":
    lock(LOCK, _SERVERS)
