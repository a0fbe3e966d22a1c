"""Reading Civitai: its API and files of it, one item at a time (reference section 4.2)."""
