"""All queries. Callers see documents and the project's own errors, never PyMongo's."""
