"""Draining a queue: claim, hold, do, end."""
