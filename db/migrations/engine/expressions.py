"""Words of MongoDB's aggregation language that migrations are written in."""

from collections.abc import Callable
from typing import Any

Expression = Any
"""What the server computes from a document: a path, a constant or an operator."""
Build = Callable[[Expression], Expression]

MISSING = "$$REMOVE"
"""Set to this, a field is not there."""
NUMBERS = ("int", "long", "double", "decimal")


def is_a(value: Expression, *types: str) -> Expression:
    """Tell whether a value is of one of some BSON types; `missing` is one."""
    return {"$in": [{"$type": value}, list(types)]}


def when(condition: Expression, then: Expression, otherwise: Expression) -> Expression:
    """Choose one of two values; the other one is not computed."""
    return {"$cond": [condition, then, otherwise]}


def differ(one: Expression, other: Expression) -> Expression:
    """Tell whether two values differ; a missing one and null do."""
    return {"$ne": [one, other]}


def called(name: str, value: Expression, build: Build) -> Expression:
    """Give a value a name, so that it is computed once and its fields can be named.

    Args:
        name: A name that nothing around it has.
        value: The value.
        build: Makes the whole from the name.
    """
    return {"$let": {"vars": {name: value}, "in": build(f"$${name}")}}


def each(name: str, values: Expression, build: Build) -> Expression:
    """Make a list from another one, item by item."""
    return {"$map": {"input": values, "as": name, "in": build(f"$${name}")}}


def only(name: str, values: Expression, build: Build) -> Expression:
    """Keep the items of a list for which something is true."""
    return {"$filter": {"input": values, "as": name, "cond": build(f"$${name}")}}
