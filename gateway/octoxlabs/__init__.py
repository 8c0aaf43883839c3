"""Paths and shapes of the vendor's own client, ``octoxlabs`` on PyPI. Nothing imports it."""
