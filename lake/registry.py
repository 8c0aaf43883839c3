"""All tables of the lake, for the commands that look after each of them."""

from lake.marts.tables import MARTS
from lake.tables import ERASURES, EVENTS, GAPS, REJECTED, SCORES

ALL = (EVENTS, REJECTED, GAPS, ERASURES, SCORES, *MARTS)

BY_USER = tuple(spec for spec in ALL if "user_key" in spec.schema.names and spec not in (EVENTS, ERASURES, *MARTS))
"""Tables with rows of one person that nothing makes again from the events."""
