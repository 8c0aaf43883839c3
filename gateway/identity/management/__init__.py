"""Commands for operators and for people at a terminal."""
