"""Measuring the pictures of a run, beside its steps."""
