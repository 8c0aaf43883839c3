"""Caching of the console's files."""

IMMUTABLE_FILES = r"/console/assets/[^/]+-[\w-]{8,}\.\w+\Z"
"""The static files that never change, because their names have their contents' hashes (WhiteNoise's immutable ones)."""
