"""Models of what is stored, by the field names of the StoryCanvas schema (seed 001)."""
