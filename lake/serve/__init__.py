"""The writer: query events from Kafka into the lake's tables, each once."""
