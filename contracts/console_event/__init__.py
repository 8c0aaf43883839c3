"""Console event: its type, schema, example, and topic."""
