"""The engine that drives an existing FaceFusion checkout (3.5 to 3.8)."""
