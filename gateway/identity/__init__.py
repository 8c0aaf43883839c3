"""Users, credentials, tokens, roles, and their administration."""
