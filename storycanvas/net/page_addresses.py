"""Addresses of pages of documents, made from a template: `https://app.example/characters/{id}`."""

import re
from urllib.parse import quote, urlsplit

PLACE = "{id}"
_LETTERS = re.compile(r"[A-Za-z0-9._~:/?#\[\]@!$&'*+,;=%-]+")
"""Those of an address that stands in Markdown as it is; no parentheses, which would end a link."""


class PageTemplate:
    """Makes the address of a document's page from its id, whatever that holds.

    Args:
        template: An http or https address with `{id}` behind its server.

    Raises:
        ValueError: It is another; says what it has to be.
    """

    def __init__(self, template: str) -> None:
        self._before, *after = template.split(PLACE)
        if len(after) != 1:
            raise ValueError(f"it needs {PLACE} once, where the id stands")
        self._after = after[0]
        rest = f"{self._before}{self._after}"
        if not _LETTERS.fullmatch(rest):
            raise ValueError("it holds a character that no address has; write it as %20 and so on")
        address = urlsplit(self._before)
        if address.scheme not in {"http", "https"} or not address.hostname:
            raise ValueError("it has to begin with http:// or https:// and a server")
        if "@" in address.netloc:
            raise ValueError("it must not hold a user name or a password")
        if not (address.path or address.query or address.fragment):
            raise ValueError(f"{PLACE} has to stand behind the server")

    def of(self, document_id: str) -> str | None:
        """Make the address of a document's page; None for an id that would lead to another."""
        if document_id in {"", ".", ".."}:
            return None
        return f"{self._before}{quote(document_id, safe='', errors='replace')}{self._after}"
