"""Relay: numbers the changes, and publishes them in the order of their numbers.

lease → outbox (numbers) → composition → producer → outbox (cursor)
    └→ topic: is it the topic, and is the database the one, that went before?
"""
