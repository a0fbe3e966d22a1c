"""A small stand-in for FaceFusion 3.8.1: its command line, its modules' names, no networks."""
