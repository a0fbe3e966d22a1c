"""Where pictures come from: what a reference may name, and fetching it."""
