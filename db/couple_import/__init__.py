"""Import of a couple face-swap database into the StoryCanvas database."""
