"""Everything Elasticsearch-shaped: its connection, its index templates and the demo inventory."""
