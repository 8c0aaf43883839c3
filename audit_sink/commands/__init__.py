"""What `python -m audit_sink` can do, one module a command; each gives its exit status."""
