"""The inventory's index: the consumer group that writes its changes to Elasticsearch."""
