"""The GPU hosts of a run: a step goes to the first free host that can do it."""
