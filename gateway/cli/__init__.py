"""Command-line client of the API. Nothing imports it."""
