"""What a host can run: each engine does operations on pictures in normal form."""
