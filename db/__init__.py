"""The StoryCanvas database: its documents and every query made of it. Nothing in here knows Prefect."""
