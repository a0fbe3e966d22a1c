"""What the database holds: collections, documents, indexes, validators and their relations."""
