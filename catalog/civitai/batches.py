"""Items of a file in batches that take little memory, however long the items are."""

from collections.abc import Iterable, Iterator

from catalog.civitai.files import RawItem
from catalog.entries import Problem

MOST_ITEMS = 200
MOST_LETTERS = 8 * 1024 * 1024
"""A batch ends with the item that reaches it."""


def batches(found: Iterable[RawItem | Problem]) -> Iterator[list[RawItem | Problem]]:
    """Gather what was found, in its order.

    Args:
        found: As `catalog.civitai.files.read_file` gives it.

    Yields:
        Batches of at most `MOST_ITEMS`; none is empty.
    """
    batch: list[RawItem | Problem] = []
    letters = 0
    for one in found:
        batch.append(one)
        letters += one.letters if isinstance(one, RawItem) else 0
        if len(batch) >= MOST_ITEMS or letters >= MOST_LETTERS:
            yield batch
            batch, letters = [], 0
    if batch:
        yield batch
