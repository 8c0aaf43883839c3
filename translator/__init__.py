"""Translator: the query language, over HTTP and as a command."""
