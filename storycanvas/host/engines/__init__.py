"""What a host can run: each engine carries out operations on pictures in normal form."""
