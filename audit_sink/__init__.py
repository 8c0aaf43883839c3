"""The audit trail: the event, the topic it travels on, and the consumer group that indexes it."""
