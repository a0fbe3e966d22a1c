"""Tasks that work on the StoryCanvas database."""
