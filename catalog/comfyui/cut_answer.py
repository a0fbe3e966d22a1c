"""What a server says about itself, cut to what MongoDB can hold."""

import re
from collections.abc import Mapping
from itertools import islice

MOST_BYTES = 1024 * 1024
"""Of an answer that is to be stored; a document holds 16 times as much."""

DEEPEST = 8
"""Levels of objects and lists; deeper ones become null."""

MOST_PARTS = 200
"""Entries of one object or list; further ones are left out."""

LONGEST_TEXT = 2000
"""Letters of a text; further ones are left out."""

_WHOLE = range(-(2**63), 2**63)
_USER_PART = re.compile(r"://[^/@\s]+@")


def cut_answer(value: object, level: int = DEEPEST) -> object:
    """Bring a JSON value into what a document can hold.

    Whole numbers beyond 64 bits become text. Keys that are empty, hold NUL or begin with `$` are
    left out with their values, and so is the user part of every address.

    Args:
        value: What `JsonClient` returned.
        level: How many levels of objects and lists are kept.
    """
    if isinstance(value, str):
        return _USER_PART.sub("://", value)[:LONGEST_TEXT]  # a cut one would stay
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value in _WHOLE else str(value)
    if isinstance(value, Mapping | list) and not level:
        return None
    if isinstance(value, Mapping):
        kept = islice((pair for pair in value.items() if _is_key(pair[0])), MOST_PARTS)
        return {key: cut_answer(part, level - 1) for key, part in kept}
    if isinstance(value, list):
        return [cut_answer(part, level - 1) for part in value[:MOST_PARTS]]
    return value


def _is_key(key: object) -> bool:
    return (
        isinstance(key, str)
        and 0 < len(key) <= LONGEST_TEXT
        and "\0" not in key
        and not key.startswith("$")
    )
