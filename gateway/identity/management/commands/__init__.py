"""gateway/identity/management/commands."""
