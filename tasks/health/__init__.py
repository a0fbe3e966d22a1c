"""Tasks that check hosts, keep the history and emit events."""
