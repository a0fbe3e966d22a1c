"""What a run is expected to do and to take, before and after it."""
