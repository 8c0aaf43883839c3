"""Outcomes of a try to deliver that are no reason to try again."""


class Permanent(Exception):
    """It can never be delivered; says why in words that name nobody."""


class Withdrawn(Exception):
    """It is not to be delivered any more."""
