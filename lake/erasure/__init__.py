"""Erasure of one person: from every table, with an account, and a proof that the name is nowhere below the lake."""
