"""The StoryCanvas database: its documents and every query made of it, without Prefect."""
