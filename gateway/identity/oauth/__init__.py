"""OAuth 2.0 for programs: clients, grants, revocation, introspection and metadata."""
