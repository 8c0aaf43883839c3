"""Marts: what the lake tells of each day, as tables without names, made by the SQL files beside this.

Each file is one SELECT, which DuckDB and Spark run as it is. ``{day}`` stands for a date, and ``day_events`` for the
result of ``sql/day_events.sql``.
"""
