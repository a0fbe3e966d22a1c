"""Import of a couple face-swap database (seed 003) into the StoryCanvas database."""
