"""Recipes: pure functions from parameters to a Plan. A new pipeline is a new recipe and a short flow."""
