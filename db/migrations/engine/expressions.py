"""Operators of MongoDB's aggregation language that migrations are written with."""

from collections.abc import Callable
from typing import Any

Expression = Any
"""What the server computes from a document: a path, a constant or an operator."""
Build = Callable[[Expression], Expression]

MISSING = "$$REMOVE"
"""A field set to this is removed."""
NUMBERS = ("int", "long", "double", "decimal")


def is_a(value: Expression, *types: str) -> Expression:
    """Check for BSON types; `missing` is one of them."""
    return {"$in": [{"$type": value}, list(types)]}


def when(condition: Expression, then: Expression, otherwise: Expression) -> Expression:
    """Choose one of two values; the other is not computed."""
    return {"$cond": [condition, then, otherwise]}


def differ(value: Expression, other: Expression) -> Expression:
    """Compare two values; a missing value and null differ."""
    return {"$ne": [value, other]}


def called(name: str, value: Expression, build: Build) -> Expression:
    """Name a value, so that it is computed once and its fields can be read."""
    return {"$let": {"vars": {name: value}, "in": build(f"$${name}")}}


def each(name: str, values: Expression, build: Build) -> Expression:
    """Map a list, item by item."""
    return {"$map": {"input": values, "as": name, "in": build(f"$${name}")}}


def only(name: str, values: Expression, build: Build) -> Expression:
    """Keep the items of a list for which something is true."""
    return {"$filter": {"input": values, "as": name, "cond": build(f"$${name}")}}
