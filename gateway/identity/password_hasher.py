"""Password hashing."""

from django.contrib.auth.hashers import Argon2PasswordHasher


class Argon2(Argon2PasswordHasher):
    """Argon2id as OWASP's Password Storage Cheat Sheet has it: 19 MiB, two passes, one lane.

    Django's own choice takes 100 MiB and eight threads for one guess, and a few callers at once could fill the memory.
    """

    time_cost = 2
    memory_cost = 19 * 1024
    parallelism = 1
