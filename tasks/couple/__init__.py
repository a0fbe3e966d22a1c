"""Steps of the couple swap."""
