"""Additions to an event before it is written: networks, assets, and the shape of its query."""
