"""Description of an indexing consumer for its commands."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import NamedTuple

from confluent_kafka.cimpl import NewTopic

from indexing.kafka_grants import Grants
from indexing.projection import Projection
from indexing.settings import IndexingSettings


class TopicNames(NamedTuple):
    """The topic that is read, and where unreadable and refused records go."""

    topic: str
    dead_letter_topic: str


@dataclass(frozen=True, slots=True)
class Program:  # pylint: disable=too-many-instance-attributes  # one for each command, and the words
    """Program ``python -m <package>``; each callable reads its settings from the environment when it is called.

    Attributes:
        package: name of the package.
        description: the program in one sentence.
        consumer: name of the projection, for metrics and Kafka's client id.
        member: a running consumer in a word, such as ``sink``.
        record: a record of the topic in a word, such as ``event``.
        settings: how the topic is read, batched and written.
        names: names of the topics.
        serve: serves until a signal; returns the exit status.
        topics: the topics for a cluster of so many replicas.
        grants: the users and what each may do on the topics.
        projection: makes the projection for ``replay``; None where dead letters are sent again in another way.
    """

    package: str
    description: str
    consumer: str
    member: str
    record: str
    settings: Callable[[], IndexingSettings]
    names: Callable[[], TopicNames]
    serve: Callable[[], int]
    topics: Callable[[int], list[NewTopic]]
    grants: Callable[[], Grants]
    projection: Callable[[], Projection] | None = None
