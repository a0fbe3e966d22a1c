"""What mongosh does with a line that a report gives a person to undo a change."""

import json
import re
from collections.abc import Iterator
from typing import Any

from bson import json_util

from tests.support.db.database_state import Data

_LINE = re.compile(r'db\.getSiblingDB\("(?P<name>[^"]+)"\)\.(?P<of>\w+)\.updateOne\((?P<rest>.*)\)')
_EXTENDED = "EJSON.deserialize("


def run_line(database: Data, line: str) -> int:
    """Run the updates of a line, of which there may be several; count the changed documents."""
    changed = 0
    for part in line.split("; "):
        found = _LINE.fullmatch(part)
        assert found
        assert found["name"] == database.name
        which, update, *options = _arguments(found["rest"])
        named = {"array_filters": options[0]["arrayFilters"]} if options else {}
        changed += database[found["of"]].update_one(which, update, **named).modified_count
    return changed


def _arguments(text: str) -> Iterator[Any]:
    decoder = json.JSONDecoder()
    while text:
        is_extended = text.startswith(_EXTENDED)
        text = text.removeprefix(_EXTENDED)
        value, end = decoder.raw_decode(text)
        yield json_util.loads(text[:end]) if is_extended else value
        text = text[end:].removeprefix(")" if is_extended else "").removeprefix(", ")
