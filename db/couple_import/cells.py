"""The meaning of a cell's text, in the form in which PostgreSQL writes its types."""

import json
import math
import re
from collections.abc import Callable, Iterator, Mapping
from datetime import UTC, datetime
from typing import Any, Literal, NoReturn

_BOUNDS = re.compile(r"\[[+-]?[0-9]+:[+-]?[0-9]+\]=")
# Possessive, so that a long text that is not an array costs no more than one that is.
_ELEMENT = re.compile(
    r'\s*+(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"\s*+|(?P<bare>(?:[^",{}\\]|\\.)++))(?P<end>[,}])',
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def read_array(text: str) -> list[str | None]:
    """Read an array of one dimension; a NULL without quotes is None.

    Elements stand in braces, those with special characters in double quotes, where a backslash
    takes the next character as it is. Bounds such as `[0:1]=` are ignored.

    Raises:
        ValueError: It is not an array, or has several dimensions.
    """
    bounds = _BOUNDS.match(text)
    inner = text[bounds.end() :] if bounds else text
    if not inner.startswith("{"):
        raise ValueError("an array starts with a brace")
    if not inner[1:-1].strip() and inner.endswith("}"):
        return []
    return [*_elements(inner)]


def _elements(text: str) -> Iterator[str | None]:
    place = 1
    end = ","
    while end == ",":
        found = _ELEMENT.match(text, place)
        if found is None:
            raise ValueError(f"no element of an array at character {place + 1}")
        yield _value(found)
        place, end = found.end(), found["end"]
    if text[place:].strip():
        raise ValueError("text after the end of the array")


def _value(found: re.Match[str]) -> str | None:
    if found["quoted"] is not None:
        return _ESCAPED.sub(r"\1", found["quoted"])
    bare = found["bare"].strip()
    if not bare:
        raise ValueError("an element without quotes cannot be empty")
    return None if bare.upper() == "NULL" else _ESCAPED.sub(r"\1", bare)


Kind = Literal[
    "integer", "float", "boolean", "text", "lowered", "email", "texts", "json", "timestamp"
]

DEEPEST = 90
"""Most levels of a JSON value: MongoDB takes 100, and the document itself has some."""

_INTEGER = re.compile(r"[+-]?[0-9]{1,19}", re.ASCII)
_LARGEST = 2**63 - 1
_BOOLEANS = {"t": True, "true": True, "f": False, "false": False}


def read_cell(kind: Kind, text: str) -> Any:  # noqa: ANN401 - each kind has its own type
    """Read a cell that is not NULL; the JSON value null is None.

    A timestamp without a zone is UTC, a text of kind `lowered` is lower-cased as the app does it,
    an e-mail address also loses spaces around it. Texts are an array or, where they begin with a
    bracket that is not of an array's bounds, JSON; a NULL inside of them is left out.

    Raises:
        ValueError: The text does not fit the kind; the message names the expected form.
    """
    try:
        return _READERS[kind](text)
    except (ValueError, OverflowError, RecursionError):
        raise ValueError(_EXPECTED[kind]) from None


def _integer(text: str) -> int:
    number = int(text) if _INTEGER.fullmatch(text) else None
    if number is None or abs(number) > _LARGEST:
        raise ValueError
    return number


def _float(text: str) -> float:
    number = float(text)
    if not math.isfinite(number):
        raise ValueError
    return number


def _boolean(text: str) -> bool:
    if text.lower() not in _BOOLEANS:
        raise ValueError
    return _BOOLEANS[text.lower()]


def _timestamp(text: str) -> datetime:
    moment = datetime.fromisoformat(text)
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


def _texts(text: str) -> list[Any] | None:
    if text == "null":
        return None
    is_json = text.startswith("[") and not _BOUNDS.match(text)
    elements = _json(text) if is_json else read_array(text)
    return [element for element in elements if element is not None]


def _json(text: str) -> Any:  # noqa: ANN401 - any JSON value
    value = json.loads(text, parse_constant=_refuse)
    level = [value]
    for _ in range(DEEPEST):
        level = [part for nested in level for part in _parts(nested)]
        if not level:
            return value
    raise ValueError


def _parts(value: object) -> list[Any]:
    if isinstance(value, Mapping):
        return [*value.values()]
    return value if isinstance(value, list) else []


def _refuse(_name: str) -> NoReturn:
    raise ValueError


_READERS: dict[Kind, Callable[[str], Any]] = {
    "integer": _integer,
    "float": _float,
    "boolean": _boolean,
    "text": str,
    "lowered": str.lower,
    "email": lambda text: text.strip().lower(),
    "texts": _texts,
    "json": _json,
    "timestamp": _timestamp,
}
_EXPECTED: dict[Kind, str] = {
    "integer": "should be a whole number of at most 8 bytes",
    "float": "should be a finite number",
    "boolean": "should be t or f",
    "text": "should be a text",
    "lowered": "should be a text",
    "email": "should be a text",
    "texts": "should be a PostgreSQL array of one dimension, as {a,b}, or a JSON list",
    "json": f"should be JSON of at most {DEEPEST} levels",
    "timestamp": "should be a time of the years 1 to 9999, as 2026-11-21 12:00:00",
}
