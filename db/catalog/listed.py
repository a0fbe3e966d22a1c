"""What the frame of a listing holds: one row for each model file."""

import math
from collections.abc import Mapping, Sequence
from typing import NamedTuple

LONGEST = 2**63
"""Sizes from here on do not fit MongoDB's whole numbers."""


class ListedModel(NamedTuple):
    """A model file as a server lists it; the fields are the columns of the frame, of type object.

    Attributes:
        folder: ComfyUI's folder, such as `loras`.
        path: Relative to the folder, normalised.
        raw_name: As the server spells it.
        size: Bytes; None if the server does not tell.
        modified: Seconds since 1970; None if the server does not tell.
        hashes: By kind; empty if the server does not tell.
        metadata: Names and values of the file's own metadata; empty if it was not read.
        model_type: A type of `database_models`.
    """

    folder: str
    path: str
    raw_name: str
    size: int | None
    modified: float | None
    hashes: Mapping[str, str]
    metadata: Sequence[Sequence[str]]
    model_type: str


def plain_size(value: object) -> int | None:
    """Take a size out of a frame, in which it may have become a float.

    Args:
        value: May be anything.

    Returns:
        Bytes; None if it is no size that MongoDB holds.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    return int(value) if math.isfinite(value) and 0 <= value < LONGEST else None


def plain_seconds(value: object) -> float | None:
    """Take a moment out of a frame.

    Args:
        value: May be anything.

    Returns:
        Seconds since 1970; None if it is no finite number.
    """
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    try:
        seconds = float(value)
    except OverflowError:
        return None
    return seconds if math.isfinite(seconds) else None
