"""The paths of the host contract."""
