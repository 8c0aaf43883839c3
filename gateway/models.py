"""Who is known to the gateway."""

from django.contrib.auth.models import AbstractUser


class User(AbstractUser):
    """Somebody who may search while active; our own model from the first migration, so that it can grow."""
