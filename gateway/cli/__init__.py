"""gateway/cli."""
