"""A collection cut into ranges of `_id`, so that long work has progress and can be killed."""

from collections.abc import Iterator
from math import isnan
from typing import Any

from bson import Decimal128, MaxKey, MinKey
from pymongo import ASCENDING, DESCENDING
from pymongo.collection import Collection

from db.connection import Document

RANGE_SIZE = 20_000
"""Documents of a range; each is changed by commands that take about a second."""


def id_ranges(collection: Collection[Document], size: int = RANGE_SIZE) -> Iterator[Document]:
    """Cut a collection into ranges of `_id`, loading nothing but their bounds.

    A comparison in MongoDB sees values of one kind only, so no range spans two kinds of `_id`.

    Args:
        collection: What to cut.
        size: Documents of a range, the last of each kind of `_id` excepted.

    Yields:
        A query for each range, in the order of `_id`.
    """
    first = _id_of(collection, {}, ASCENDING)
    while first:
        [lowest] = first
        if _is_compared_alone(lowest):
            yield {"_id": lowest}
            first = _next_kind(collection, lowest)
            continue
        following = _id_of(collection, {"_id": {"$gte": lowest}}, ASCENDING, skip=size)
        if following:
            yield {"_id": {"$gte": lowest, "$lt": following[0]}}
            first = following
        else:
            [highest] = _id_of(collection, {"_id": {"$gte": lowest}}, DESCENDING) or [lowest]
            yield {"_id": {"$gte": lowest, "$lte": highest}}
            first = _next_kind(collection, highest)


def _id_of(
    collection: Collection[Document], query: Document, order: int, skip: int = 0
) -> list[Any]:
    """Find one `_id`; an empty list when there is none, since an `_id` may be null."""
    found = collection.find(query, {"_id": True}).sort("_id", order).skip(skip).limit(1)
    return [one["_id"] for one in found]


def _next_kind(collection: Collection[Document], highest: Any) -> list[Any]:  # noqa: ANN401 - any BSON
    """Find the first `_id` after one, of whatever kind."""
    if isinstance(highest, MaxKey):
        return []
    found = collection.find({}, {"_id": True}).hint([("_id", ASCENDING)])
    # The largest key of all is the bound up to which the server looks, so it is not found here.
    ids = [one["_id"] for one in found.min([("_id", highest)]).limit(2)]
    ids += _id_of(collection, {"_id": MaxKey()}, ASCENDING)
    return [one for one in ids if one != highest and not (_is_nan(one) and _is_nan(highest))][:1]


def _is_compared_alone(value: object) -> bool:
    """Tell whether comparisons see nothing beside a value, or values of all kinds."""
    return isinstance(value, MinKey | MaxKey) or _is_nan(value)


def _is_nan(value: object) -> bool:
    if isinstance(value, Decimal128):
        return value.to_decimal().is_nan()
    return isinstance(value, float) and isnan(value)
