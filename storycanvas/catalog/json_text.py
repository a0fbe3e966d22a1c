"""Foreign JSON, read so that nothing of it breaks a later step."""

import json
import math
import re

_MAX_DIGITS = 300
"""A longer number is kept as text; Python refuses to read 4301 digits and more."""

_MAYBE_SURROGATE = re.compile(r"\\u[dD][89a-fA-F]")
_ESCAPES = re.compile(
    r"\\(?:u[dD][89abAB][0-9a-fA-F]{2}\\u[dD][c-fC-F][0-9a-fA-F]{2}"  # a pair, one character
    r"|(u[dD][89a-fA-F][0-9a-fA-F]{2})|.)",
    re.DOTALL,
)


def _integer(digits: str) -> int | str:
    return int(digits) if len(digits) <= _MAX_DIGITS else digits


def _number(digits: str) -> float | None:
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
        parse_int=_integer, parse_float=_number, parse_constant=_no_constant, strict=False
    )


def replace_lone_surrogates(text: str) -> str:
    r"""Replace escapes of a lone surrogate (`\ud800`), which no database holds, by `\ufffd`."""
    return _ESCAPES.sub(_without_lone_surrogate, text) if _MAYBE_SURROGATE.search(text) else text


def read_json(body: bytes) -> object:
    """Read JSON in UTF-8, with or without a byte order mark.

    Args:
        body: One JSON value.

    Raises:
        ValueError: It is not JSON, not UTF-8, or nested too deeply.
    """
    try:
        value: object = lenient_decoder().decode(replace_lone_surrogates(body.decode("utf-8-sig")))
    except RecursionError as error:
        raise ValueError("The JSON is nested too deeply.") from error
    return value
