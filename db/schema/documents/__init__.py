"""Documents as StoryCanvas stores them, by subject."""
