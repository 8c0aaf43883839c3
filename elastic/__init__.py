"""Elasticsearch: client, security, retention, index templates, erasure and the demo inventory."""
