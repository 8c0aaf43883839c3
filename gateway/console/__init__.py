"""The console: the page at ``/``, and the content policy under which it runs.

The page and its scripts are built from ``web/`` by ``make console`` and are part of the package, so that whoever runs
the gateway needs no Node. The scripts are below ``/static/console/``; the page itself is not, because it must never be
had without its policy.
"""
