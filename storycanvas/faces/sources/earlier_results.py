"""What is worth a note about an input that an earlier operation has made.

A gallery mixes restored pictures, swapped ones and originals, and nothing in a name tells which is
which. The pixel hash of an input does: it is that of an output in the ledger.
"""

from collections.abc import Iterable, Mapping

MADE_BY = {
    "enhance": "its face has been restored already",
    "swap": "its face has been swapped already",
}
"""What each operation that is worth a note has done, by `operation_type`."""


def earlier_result_notes(
    pictures: Mapping[str, str], made_by: Mapping[str, Iterable[str]]
) -> tuple[str, ...]:
    """Name the inputs that are outputs of earlier operations.

    Args:
        pictures: Pixel hashes by what messages call the pictures.
        made_by: The operations whose output has a pixel hash, by that hash.

    Returns:
        A sentence for each picture and operation, in the order of the pictures.
    """
    return tuple(
        f"The {name} picture is the output of an earlier {operation}: {MADE_BY[operation]}."
        for name, sha256 in pictures.items()
        for operation in sorted(made_by.get(sha256, ()))
        if operation in MADE_BY
    )
