"""gateway/audit."""
