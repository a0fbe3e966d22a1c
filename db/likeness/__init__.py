"""The galleries of characters, and what was measured of their pictures."""
