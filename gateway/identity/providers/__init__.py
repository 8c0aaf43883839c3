"""Identity providers: log-in by OpenID Connect, and what is known of the people who come in by it."""
