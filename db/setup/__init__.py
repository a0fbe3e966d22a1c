"""Bringing a database to the schema: compare, apply, report."""
