"""What every test shares."""

import os

# Django's settings are read at import, before any fixture could set them.
os.environ.setdefault("GATEWAY_SECRET_KEY", "a key that only the tests know, long enough for Django's checks")
