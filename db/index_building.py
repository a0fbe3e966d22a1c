"""Creating one index."""

from collections.abc import Collection
from contextlib import suppress

from pymongo.database import Database
from pymongo.errors import OperationFailure

from db.connection import Document
from db.found import find_indexes
from db.indexes import FoundIndex, Index


def put_index(
    database: Database[Document], name: str, index: Index, replaces: Collection[FoundIndex]
) -> None:
    """Create an index in the place of others; if that fails, they are put back.

    Args:
        database: The StoryCanvas database.
        name: The collection's name.
        index: What should be there.
        replaces: What stands in its place, as far as it is still there.

    Raises:
        pymongo.errors.OperationFailure: The server refuses.
    """
    collection = database[name]
    replaced = [one for one in find_indexes(database, name) if one in replaces]
    for other in replaced:
        collection.drop_index(other.name)
    try:
        collection.create_index(index.keys, **index.creation)
    except OperationFailure:
        for other in replaced:
            with suppress(OperationFailure):
                collection.create_index(other.creation_keys, **other.creation)
        raise
