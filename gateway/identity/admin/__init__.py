"""gateway/identity/admin."""
