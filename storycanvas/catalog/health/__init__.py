"""Asking hosts whether they are there; knows neither Prefect nor MongoDB."""
