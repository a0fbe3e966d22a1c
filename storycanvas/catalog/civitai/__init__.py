"""Reading Civitai: its API and files of it, one item at a time (docs/catalog.md)."""
