"""The lake: the audit trail for years as Delta tables, its proof of completeness, and what it tells."""
