"""Characters as the older app leaves them: without any FaceFusion field.

python -m benchmarks.made_characters mongodb://127.0.0.1:27017/ storyboard 1000000
"""

import sys
from collections.abc import Iterator
from itertools import islice

from pymongo.collection import Collection

from db.connection import Document, connect

BATCH = 10_000
DESCRIPTION = "A keeper of bees who has seen the sea once and speaks of it at every meal. " * 3


def characters(count: int) -> Iterator[Document]:
    """Make characters, about 400 bytes each.

    Args:
        count: How many.
    """
    for number in range(count):
        yield {
            "id": f"character-{number}",
            "project_id": f"project-{number % 997}",
            "name": f"Character {number}",
            "description": DESCRIPTION,
            "reference_images": [f"/uploads/characters/{number}.png"],
            "created_at": "2025-03-01T12:00:00Z",
        }


def fill(collection: Collection[Document], count: int) -> None:
    """Put characters into an empty collection."""
    made = characters(count)
    while batch := list(islice(made, BATCH)):
        collection.insert_many(batch, ordered=False)


def main() -> None:
    """Put characters into the database named on the command line."""
    url, name, count = sys.argv[1:]
    fill(connect(url, name)["characters"], int(count))


if __name__ == "__main__":
    main()
