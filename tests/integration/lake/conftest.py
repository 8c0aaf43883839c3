"""Parts of the tests of the lake's writer: a trail with a lake of the test's own, and writers as processes."""

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from confluent_kafka import Producer
from elasticsearch import Elasticsearch

from tests.support.lake_trail import LakeProcess, LakeTrail, StartLake


@pytest.fixture
def trail(
    kafka_bootstrap: str, elasticsearch_url: str, cluster: Elasticsearch, producer: Producer, tmp_path: Path
) -> LakeTrail:
    """Topics and a lake of the test's own."""
    made = LakeTrail(kafka_bootstrap, elasticsearch_url, uuid4().hex[:12], cluster, producer, folder=tmp_path)
    made.create_topics()
    return made


@pytest.fixture
def start(trail: LakeTrail, tmp_path: Path) -> Iterator[StartLake]:
    """Start writers on the trail, with variables of their own; they are ended after the test."""
    started: list[LakeProcess] = []

    def begin(**variables: str) -> LakeProcess:
        started.append(LakeProcess(trail, tmp_path / f"lake-{len(started) + 1}.log", **variables))
        return started[-1]

    yield begin
    for writer in started:
        writer.kill()
