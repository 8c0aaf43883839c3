"""Search: from a request to its translation, its answer by page, cursor or stream, and the clients behind."""
