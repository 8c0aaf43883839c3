"""The door: who may ask, what was asked, and the answer, recorded before it is given."""

__version__ = "0.1.0"
