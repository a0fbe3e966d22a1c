"""How a report names a document, whatever its `id` and `_id` are."""

from typing import Any

from db.connection import Document

LONGEST = 100
"""Most characters of a name; an id may be of any type and length."""

NAME: Document = {"$cond": [{"$eq": [{"$type": "$id"}, "string"]}, "$id", {"_id": "$_id"}]}
"""Expression for what `named` reads: the app's `id` if it is text, else the `_id`."""


def named(value: object) -> str:
    """Name a document in one short line.

    Args:
        value: What the server told for `NAME`.

    Returns:
        The `id`, or `_id` and its value.
    """
    return shortened(f"_id {value.get('_id')!r}" if isinstance(value, dict) else str(value))


def name_of(document: Document) -> str:
    """Name a document that was read; the same as the server would."""
    found: Any = document.get("id")
    return named(found if isinstance(found, str) else {"_id": document.get("_id")})


def shortened(text: str) -> str:
    """Make a text one short, printable line."""
    printable = text if text.isprintable() else ascii(text)
    return printable if len(printable) <= LONGEST else f"{printable[: LONGEST - 3]}..."
