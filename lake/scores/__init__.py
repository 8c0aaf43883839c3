"""Scores: how unlike themselves people behaved on a day, each part with its reason in words."""
