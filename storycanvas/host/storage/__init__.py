"""Pictures and results on the host's disk, within bounds and across power cuts."""
