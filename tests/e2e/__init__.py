"""Tests of the whole system. A package, so that what it starts ends with its last test (pytest's scope ``package``)."""
