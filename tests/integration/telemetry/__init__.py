"""Tests of traces and logs. A package, so that what it starts ends with its last test (pytest's scope ``package``)."""
