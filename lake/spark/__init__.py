"""Spark, the lake's engine beyond one machine: the same SQL files as DuckDB's, over the same tables."""
