"""Civitai's catalog in the database: items, versions, import positions."""
