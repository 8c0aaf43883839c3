"""contracts/query_event."""
