"""Ground floor: modules that two packages or more use, without a word of the domain."""
