"""Write docs/database.md from the registry: `python -m deployments.database_page [--check]`."""

import argparse
import json
import sys
from collections.abc import Iterator, Sequence
from pathlib import Path

from pydantic import BaseModel

from db.collections import COLLECTIONS, Collection
from db.indexes import Index
from deployments.documented_fields import documented_fields, notes, parts_of

PAGE = Path(__file__).resolve().parents[1] / "docs" / "database.md"
COMMAND = "python -m deployments.database_page"

_HEAD = f"""\
# The StoryCanvas database

Made from the registry `db/collections.py` by `{COMMAND}`; do not edit it.

The flow `init-db` creates and repairs all of this. A document may hold more fields than are listed,
unless its notes say otherwise. Each collection has a validator of level `moderate` made from the
same models; its action is `warn` unless `init-db` is told `error`. Times are UTC dates. Every
collection has MongoDB's own index on `_id`, too.
"""


def page() -> str:
    """Make the page."""
    parts = {part.__name__: part for one in COLLECTIONS for part in parts_of(one.document)}
    sections = [_HEAD, *map(_collection, COLLECTIONS), "## Parts of documents\n"]
    sections += [_part(part) for _, part in sorted(parts.items())]
    return "\n".join(sections)


def _collection(collection: Collection) -> str:
    lines = [f"## `{collection.name}`", "", collection.purpose, *_notes(collection.document)]
    if collection.soft_deletable:
        lines += ["", "Deleted by marking: every read leaves out what has a `deleted_at`."]
    lines += ["", *_fields(collection.document), "", *_indexes(collection.indexes)]
    return "\n".join([*lines, ""])


def _part(part: type[BaseModel]) -> str:
    return "\n".join([f"### {part.__name__}", *_notes(part), "", *_fields(part), ""])


def _notes(document: type[BaseModel]) -> Iterator[str]:
    said = notes(document)
    if said:
        yield from ("", said)
    if document.model_config.get("extra") == "forbid":
        yield from ("", "No other fields.")


def _fields(document: type[BaseModel]) -> Iterator[str]:
    yield "| field | type | required | default | range | meaning |"
    yield "| --- | --- | --- | --- | --- | --- |"
    for field in documented_fields(document):
        required = "yes" if field.required else ""
        name = f"`{field.name}`"
        yield _row(name, field.type, required, field.default, field.range, field.meaning)


def _indexes(indexes: Sequence[Index]) -> Iterator[str]:
    if not indexes:
        yield "No index but the one on `_id`."
        return
    yield "| index | name | kind |"
    yield "| --- | --- | --- |"
    for index in indexes:
        yield _row(_keys(index), f"`{index.name}`", ", ".join(_kind(index)))


def _row(*cells: str) -> str:
    return f"|{'|'.join(f' {cell} ' if cell else ' ' for cell in cells)}|"


def _keys(index: Index) -> str:
    if index.weights:
        return ", ".join(f"{field} ({weight})" for field, weight in index.weights.items())
    return ", ".join(f"{field} descending" if order == -1 else field for field, order in index.keys)


def _kind(index: Index) -> Iterator[str]:
    if index.weights:
        yield "text, by weight"
    if index.unique:
        yield "unique"
    if index.sparse:
        yield "sparse"
    if index.partial:
        yield f"partial: `{json.dumps(index.partial)}`"
    if index.collation:
        yield f"collation {index.collation['locale']}, strength {index.collation['strength']}"
    if index.expire_after:
        yield f"documents go {index.expire_after // 86_400} days later"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the page, or tell whether it is stale."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 1 when it is stale")
    if not parser.parse_args(arguments).check:
        PAGE.write_text(page(), encoding="utf-8")
        return 0
    if PAGE.exists() and PAGE.read_text(encoding="utf-8") == page():
        return 0
    print(f"{PAGE.name} is stale; run {COMMAND}.")
    return 1


if __name__ == "__main__":
    sys.exit(main())
