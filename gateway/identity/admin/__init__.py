"""Django's administration, for users with the role admin."""
