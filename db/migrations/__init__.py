"""Numbered migrations (`versions`) and what applies and reverts them (`engine`)."""
