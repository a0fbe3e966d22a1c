"""Documents marked as deleted: hidden, restored, and removed after a time."""
