"""Room of notifications: who is told of what, in their inbox, by mail and by webhooks."""
