"""Audit trail of the gateway: the draft of an event, its delivery to Kafka, and the spool on the disk."""
