"""Room of live sockets: notifications as they come, and the tail of the audit trail; a process of its own."""
