"""Ground floor: modules that two packages or more use, without a word of the domain."""

__version__ = "0.1.0"
