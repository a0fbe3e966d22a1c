"""Foreign JSON: read so that nothing in it breaks a later step, and made storable in MongoDB 6."""

import json
import math
import re
from collections.abc import Mapping
from itertools import islice
from typing import Any

from storycanvas.net.redact import redact_text

MAX_BYTES = 1024 * 1024
"""Longest answer that is stored; a document holds 16 times as much."""

DEEPEST = 8
"""Levels of objects and lists that `cut_answer` keeps; deeper ones become null."""

MAX_PARTS = 200
"""Entries of one object or list that `cut_answer` keeps."""

MAX_TEXT_LENGTH = 2000
"""Characters of a text that `cut_answer` keeps."""

_INT64 = range(-(2**63), 2**63)


def cut_answer(value: object, level: int = DEEPEST) -> object:
    """Convert a JSON value to what a document can hold.

    Whole numbers beyond 64 bits become text. Keys that are empty, hold NUL or begin with `$` are
    left out with their values, and so is the user part of every address.
    """
    if isinstance(value, str):
        return redact_text(value)[
            :MAX_TEXT_LENGTH
        ]  # redacted before it is cut: half an address would not be found
    if isinstance(value, int) and not isinstance(value, bool):
        return value if value in _INT64 else str(value)
    if isinstance(value, Mapping | list) and not level:
        return None
    if isinstance(value, Mapping):
        kept = islice((pair for pair in value.items() if _is_kept_key(pair[0])), MAX_PARTS)
        return {key: cut_answer(part, level - 1) for key, part in kept}
    if isinstance(value, list):
        return [cut_answer(part, level - 1) for part in value[:MAX_PARTS]]
    return value


def _is_kept_key(key: object) -> bool:
    return (
        isinstance(key, str)
        and 0 < len(key) <= MAX_TEXT_LENGTH
        and "\0" not in key
        and not key.startswith("$")
    )


Notes = dict[str, None]
"""Sentences about what was repaired, each once, in order."""

DEEPEST_STORABLE = 60
"""Levels of nesting that are read; MongoDB holds 100."""

_INT32 = range(-(2**31), 2**31)
_SURROGATE = re.compile("[\ud800-\udfff]")
_MAX_BITS_IN_DIGITS = 1024  # Python writes no more than 4300 digits
_EMPTY_BYTES = 5  # of an empty object, list or text


class TooDeep(ValueError):
    """A value is nested deeper than `DEEPEST_STORABLE`."""


def storable(  # noqa: PLR0911 - one for each type of JSON
    value: object, notes: Notes, level: int = 0
) -> Any:  # noqa: ANN401 - as in JSON
    """Copy a JSON value without the parts that MongoDB refuses.

    Integers beyond 64 bits become text, NaN and infinities null, lone surrogates U+FFFD.
    Keys that are empty, hold a NUL or begin with `$` are dropped with their values. `notes` gets a
    sentence for each kind of change.

    Raises:
        TooDeep: The value is nested too deeply.
    """
    if isinstance(value, str):
        return value if value.isascii() else _text(value, notes)
    if value is None or isinstance(value, bool):
        return value
    if isinstance(value, int):
        return _integer(value, notes)
    if isinstance(value, float):
        return _fraction(value, notes)
    if level >= DEEPEST_STORABLE:
        raise TooDeep(f"It is nested deeper than {DEEPEST_STORABLE} levels.")
    if isinstance(value, list):
        return [storable(part, notes, level + 1) for part in value]
    if isinstance(value, dict):
        return {
            _text(key, notes): storable(part, notes, level + 1)
            for key, part in value.items()
            if _is_storable_key(key, notes)
        }
    notes["A value that is not JSON became null."] = None
    return None


def stored_bytes(value: object) -> int:
    """Count the bytes of a storable value in BSON, without its name (bsonspec.org, version 1.1)."""
    if isinstance(value, str):
        return _EMPTY_BYTES + len(value.encode())
    if value is None:
        return 0
    if isinstance(value, bool):
        return 1
    if isinstance(value, int):
        return 4 if value in _INT32 else 8
    if isinstance(value, Mapping):
        named = ((key, part) for key, part in value.items())
    elif isinstance(value, list):
        named = ((str(index), part) for index, part in enumerate(value))
    else:
        return 8
    return _EMPTY_BYTES + sum(2 + len(key.encode()) + stored_bytes(part) for key, part in named)


def _text(value: str, notes: Notes) -> str:
    if not _SURROGATE.search(value):
        return value
    notes["Characters that are not Unicode became U+FFFD."] = None
    return _SURROGATE.sub("\ufffd", value)


def _integer(value: int, notes: Notes) -> int | str:
    if value in _INT64:
        return value
    notes["A number beyond 64 bits became text."] = None
    return str(value) if value.bit_length() < _MAX_BITS_IN_DIGITS else hex(value)


def _fraction(value: float, notes: Notes) -> float | None:
    if math.isfinite(value):
        return value
    notes["A number that is not finite became null."] = None
    return None


def _is_storable_key(key: object, notes: Notes) -> bool:
    if isinstance(key, str) and key and "\0" not in key and not key.startswith("$"):
        return True
    notes["A field whose name MongoDB does not hold was dropped."] = None
    return False


_MAX_DIGITS = 300
"""A longer number is kept as text; Python refuses to read 4301 digits and more."""

_MAYBE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPES = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair, one character
    r"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def _parsed_integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MAX_DIGITS else digits


def _parsed_number(digits: str) -> float | None:
    value = float(digits)
    return value if math.isfinite(value) else None


def _no_constant(_name: str) -> None:
    """Read NaN and Infinity, which are not JSON, as null."""


def _without_lone_surrogate(found: re.Match[str]) -> str:
    return r"\ufffd" if found[1] else found[0]


def lenient_decoder() -> json.JSONDecoder:
    """Make a decoder that reads NaN, infinities and numbers beyond a float as None.

    Integers of more than 300 digits become text.
    """
    return json.JSONDecoder(
        parse_int=_parsed_integer,
        parse_float=_parsed_number,
        parse_constant=_no_constant,
        strict=False,
    )


def replace_lone_surrogates(text: str) -> str:
    r"""Replace escapes of a lone surrogate (`\ud800`), which no database holds, by `\ufffd`."""
    return _ESCAPES.sub(_without_lone_surrogate, text) if _MAYBE_SURROGATE.search(text) else text


def read_json(body: bytes) -> object:
    """Read one JSON value in UTF-8, with or without a byte order mark.

    Raises:
        ValueError: It is not JSON, not UTF-8, or nested too deeply.
    """
    try:
        value: object = lenient_decoder().decode(replace_lone_surrogates(body.decode("utf-8-sig")))
    except RecursionError as error:
        raise ValueError("The JSON is nested too deeply.") from error
    return value
