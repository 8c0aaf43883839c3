"""Gateway: the HTTP API, which authenticates, authorizes and searches, and records each answer before it sends it."""
