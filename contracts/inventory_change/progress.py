"""Progress of indexing: a document for each partition, which the indexer writes and the gateway reads."""

INDEX = "inventory-progress"


def progress_id(topic_id: str, partition: int) -> str:
    """The id of a partition's document.

    It names the topic's own id: offsets begin anew in a topic that was made again, and an older document would say of
    them that they are indexed.
    """
    return f"{topic_id}-{partition}"
