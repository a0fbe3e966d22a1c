"""Recipes: pure functions from parameters to a Plan."""
