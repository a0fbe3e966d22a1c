"""Looking for what is wrong in a StoryCanvas database, and repairing what is safe to repair."""
