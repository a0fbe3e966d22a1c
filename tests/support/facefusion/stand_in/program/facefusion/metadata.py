"""Name and version."""

METADATA = {"name": "FaceFusion", "version": "3.8.1"}


def get(key: str) -> str | None:
    """Return `name` or `version`; None for what the stand-in does not know."""
    return METADATA.get(key)
