"""A short name for all that a listing says, to tell quickly whether it is as it was."""

import hashlib
from collections.abc import Iterable

from catalog.entries import ModelEntry


def listing_digest(name: str, address: str, entries: Iterable[ModelEntry]) -> str:
    """Name what entries say; the same entries in the same order have the same name.

    Args:
        name: The server's, which each of its models holds.
        address: The server's, as well.
        entries: Sorted as a listing sorts them.

    Returns:
        64 hexadecimal digits.
    """
    lines = [f"{name}\0{address}"]
    lines += [
        f"{entry.folder}\0{entry.raw_name}\0{entry.size}\0{entry.modified}"
        + (_more(entry) if entry.hashes or entry.metadata else "")
        for entry in entries
    ]
    return hashlib.sha256("\n".join(lines).encode(errors="surrogatepass")).hexdigest()


def _more(entry: ModelEntry) -> str:
    return f"\0{[*entry.hashes.items()]!r}\0{[*entry.metadata.items()]!r}"
