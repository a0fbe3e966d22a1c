"""A short name for all that a listing says, to tell quickly whether it is as it was."""

import hashlib
from collections.abc import Iterable

from catalog.entries import ModelEntry


def listing_digest(entries: Iterable[ModelEntry]) -> str:
    """Name what entries say; the same entries in the same order have the same name.

    Args:
        entries: Of one server, sorted as a listing sorts them.

    Returns:
        64 hexadecimal digits.
    """
    told = hashlib.sha256()
    for entry in entries:
        facts = (entry.folder, entry.raw_name, entry.size, entry.modified)
        told.update(repr(facts).encode(errors="surrogatepass"))
        if entry.hashes or entry.metadata:
            more = [*entry.hashes.items()], [*entry.metadata.items()]
            told.update(repr(more).encode(errors="surrogatepass"))
    return told.hexdigest()
