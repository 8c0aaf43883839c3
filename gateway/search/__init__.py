"""gateway/search."""
