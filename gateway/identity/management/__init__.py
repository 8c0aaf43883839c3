"""gateway/identity/management."""
