"""gateway/octoxlabs."""
