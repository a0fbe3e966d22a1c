"""Tasks of the model catalog: sync, import, match, report."""
