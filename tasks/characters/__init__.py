"""Characters for flows that need no face host: one by id or name, and a search."""
