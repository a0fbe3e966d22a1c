"""Measuring likeness and age of pictures that are there: references and galleries."""
