"""The operator's page at `/` and the API's at `/docs`, which need nothing from a network."""
