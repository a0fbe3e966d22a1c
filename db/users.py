"""Users as the app looks them up: by the lower-cased address or name, compared exactly.

The app lowers both with Python's `str.lower`, and it knows nothing of deletion.
"""

from collections import defaultdict
from typing import Literal

from pymongo.database import Database

from db.connection import Document, in_batches

CAPITALS = r"[\p{Lu}\p{Lt}\p{Nl}\p{So}]"
"""A character of the Unicode categories that hold all those that `str.lower` changes."""
MERGED_INTO = "merged_into"
"""Field of a user that migration 4 merged into another one: the `id` of that user."""
AT_ONCE = 1000
"""Values of one query."""


def is_merged(user: Document) -> bool:
    """Check for a user that migration 4 has merged into another one and marked as deleted."""
    return user.get(MERGED_INTO) is not None and user.get("deleted_at") is not None


def users_alike(
    database: Database[Document], field: Literal["email", "username"]
) -> dict[str, list[Document]]:
    """Group the users whose address or name differs from another's in case only, by that value.

    Deleted users count, merged ones do not. Only those with a capital are loaded, since of two
    values that differ in case at least one has one; an index on the field finds the others.
    """
    users, fields = database["users"], {"id": True, field: True}
    groups: defaultdict[str, list[Document]] = defaultdict(list)
    with_capitals = {field: {"$type": "string", "$regex": CAPITALS}, MERGED_INTO: None}
    for user in users.find(with_capitals, fields).sort("_id", 1):
        if (lowered := str(user[field]).lower()) != user[field]:
            groups[lowered].append(user)
    for values in in_batches([*groups], AT_ONCE):
        for user in users.find({field: {"$in": values}, MERGED_INTO: None}, fields):
            if user[field] in values:
                groups[user[field]].append(user)
    return {value: found for value, found in groups.items() if len(found) > 1}
