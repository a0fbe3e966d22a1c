"""The library below the flows: faces, GPU hosts, the catalog and local services."""
