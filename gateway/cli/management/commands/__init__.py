"""gateway/cli/management/commands."""
