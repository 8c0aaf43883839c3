"""Audit sink: the consumer group that indexes query events."""
