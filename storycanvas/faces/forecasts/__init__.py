"""What a run is expected to take, from what operations like its own took."""
