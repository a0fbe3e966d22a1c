"""PostgreSQL's text form of an array: `{a,"b,c",NULL}` (its manual, section 8.15.6)."""

import re
from collections.abc import Iterator

_BOUNDS = re.compile(r"\[[+-]?[0-9]+:[+-]?[0-9]+\]=")
# Possessive, so that a long text that is no array costs no more than one that is.
_ELEMENT = re.compile(
    r'\s*+(?:"(?P<quoted>(?:[^"\\]|\\.)*+)"\s*+|(?P<bare>(?:[^",{}\\]|\\.)++))(?P<end>[,}])',
    re.DOTALL,
)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)


def read_array(text: str) -> list[str | None]:
    r"""Read an array of one dimension.

    Args:
        text: Elements in braces, those with special characters in double quotes, where a
            backslash takes the next character as it is; bounds such as `[0:1]=` are of no use.

    Returns:
        The elements; None for a NULL without quotes.

    Raises:
        ValueError: It is no array, or one of several dimensions.
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
