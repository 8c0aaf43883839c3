"""Commands of every consumer, one module each; each returns its exit status."""
