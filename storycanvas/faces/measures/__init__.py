"""Measures of the faces in a picture, independent of what made it."""
