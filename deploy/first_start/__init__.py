"""First start of a deployment: makes its secrets, and gives each to the one service that reads it."""
