"""Commands of `python -m audit_sink`, one module each; each returns its exit status."""
