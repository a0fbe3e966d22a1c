"""The steps of every face flow, from the context of a run to its report."""
