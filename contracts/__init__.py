"""Messages that travel on topics, described for their producers and consumers alike."""
