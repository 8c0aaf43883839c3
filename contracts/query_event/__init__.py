"""Query event: its types, schema, examples, reader, topics, and the rule of its day."""
