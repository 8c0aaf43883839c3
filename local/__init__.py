"""The embedded stack: real Kafka and Elasticsearch on loopback, and the runner that starts Sluice on them."""
