"""Write docs/database.md from the registry and the app's contract.

python -m tests.support.database_page [--check]
"""

import argparse
import inspect
import json
import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

from db.schema.collections import COLLECTIONS, Collection
from db.schema.copies import Copy, copies_in
from db.schema.indexes import Index
from tests.support.app_contract import NOT_READ, READ, SORTED
from tests.support.paths import ROOT

Schema = Mapping[str, Any]

_WORDS = {
    "string": "text",
    "integer": "whole number",
    "number": "number",
    "boolean": "yes or no",
    "object": "object",
    "array": "list",
    "null": "null",
}
_BOUNDS = {
    "minimum": "≥ {}",
    "exclusiveMinimum": "> {}",
    "maximum": "≤ {}",
    "exclusiveMaximum": "< {}",
    "minLength": "≥ {} characters",
    "maxLength": "≤ {} characters",
    "pattern": "matches `{}`",
}
_ATTRIBUTE = re.compile(r"^    (\w+): (.*(?:\n        .*)*)", re.MULTILINE)
_SECTION = re.compile(r"^\w+:$", re.MULTILINE)


@dataclass(frozen=True)
class DocumentedField:
    """One row of a table of fields.

    Attributes:
        name: As it is stored.
        type: In words, with links to the parts of the document.
        required: Whether a document must have it.
        default: As JSON; empty when it is required.
        range: Bounds and allowed values.
        meaning: The model's docstring.
    """

    name: str
    type: str
    required: bool
    default: str
    range: str
    meaning: str


def documented_fields(document: type[BaseModel]) -> Iterator[DocumentedField]:
    """Describe the fields of a document or of a part of one; inherited ones come last."""
    schema = document.model_json_schema(by_alias=True)["properties"]
    meanings = _meanings(document)
    own = inspect.get_annotations(document)
    for name, info in sorted(document.model_fields.items(), key=lambda item: item[0] not in own):
        stored = info.alias or name
        yield DocumentedField(
            name=stored,
            type=_type(schema[stored]),
            required=info.is_required(),
            default=_default(info),
            range="; ".join(_bounds(schema[stored])).replace("|", r"\|"),
            meaning=meanings.get(name, ""),
        )


def notes(document: type[BaseModel]) -> str:
    """Read a model's docstring after its first sentence and before its sections."""
    text = _SECTION.split(inspect.getdoc(document) or "")[0]
    paragraphs = text.strip().split("\n\n")[1:]
    return "\n\n".join(" ".join(paragraph.split()) for paragraph in paragraphs)


def parts_of(document: type[BaseModel]) -> Iterator[type[BaseModel]]:
    """Find the models of the objects inside of a document, each before its own parts."""
    for info in document.model_fields.values():
        for part in _models_in(info.annotation):
            yield part
            yield from parts_of(part)


def _models_in(annotation: object) -> Iterator[type[BaseModel]]:
    if inspect.isclass(annotation) and issubclass(annotation, BaseModel):
        yield annotation
    for argument in get_args(annotation):
        yield from _models_in(argument)


def _meanings(document: type[BaseModel]) -> dict[str, str]:
    found: dict[str, str] = {}
    for model in reversed(document.__mro__):
        if issubclass(model, BaseModel) and model is not BaseModel:
            _, _, attributes = (inspect.getdoc(model) or "").partition("Attributes:\n")
            found |= {name: " ".join(text.split()) for name, text in _ATTRIBUTE.findall(attributes)}
    return found


def _type(schema: Schema) -> str:
    if "$ref" in schema:
        name = schema["$ref"].rpartition("/")[2]
        return f"[{name}](#{name.lower()})"
    alternatives = schema.get("anyOf") or schema.get("oneOf")
    if alternatives:
        return " or ".join(dict.fromkeys(map(_type, alternatives)))
    if schema.get("format") == "date-time":
        return "date"
    word = _WORDS[schema["type"]] if "type" in schema else "anything"
    inside = schema.get("items") or _values(schema)
    return f"{word} of {_type(inside)}" if inside else word


def _values(schema: Schema) -> Schema | None:
    """Find what the values of an object with free names have to be."""
    for pattern in schema.get("patternProperties", {}).values():
        return dict(pattern)
    values = schema.get("additionalProperties")
    return values if isinstance(values, Mapping) else None


def _bounds(schema: Schema) -> Iterator[str]:
    for alternative in schema.get("anyOf", ()):
        yield from _bounds(alternative)
    values = schema.get("enum") or ([schema["const"]] if "const" in schema else [])
    if values:
        yield ", ".join(f"`{value}`" for value in values)
    yield from (words.format(schema[key]) for key, words in _BOUNDS.items() if key in schema)
    yield from (f"names match `{pattern}`" for pattern in schema.get("patternProperties", ()))


def _default(info: FieldInfo) -> str:
    if info.is_required():
        return ""
    value = info.get_default(call_default_factory=True, validated_data={})
    return "its defaults" if isinstance(value, BaseModel) else f"`{json.dumps(value)}`"


PAGE = ROOT / "docs" / "database.md"
COMMAND = "python -m tests.support.database_page"

_HEAD = f"""\
# The StoryCanvas database

Made by `{COMMAND}` from the registry `db/schema/collections.py` and from
`tests/support/app_contract.py`, which has what the app's back end reads; do not edit it.

The flow `init-db` creates and repairs all of this. A document may hold more fields than are listed,
unless its notes state otherwise. Each collection has a validator of level `moderate` made from the
same models; its action is `warn` until `init-db` is started with `error`, and then stays so until
it is started with `warn`. Times are UTC dates. Every collection has MongoDB's own index on `_id`,
too. A field that is marked as a copy repeats a field of another document: `audit-db` lists those
that differ, and with `fix` copies the value again.

With `error` the server also refuses some odd writes that the app lets through, and the app then
answers 500: a character with an empty name or one of more than 200 characters, a clip without
length or at a position below 0 or beyond 10,000 seconds, a ComfyUI server of another type than
`standard` and `runpod`, an item of the pool of another content or source type than those listed
below. With `warn` they are stored, and `audit-db` lists them.

The column "the app reads" has what the back end's own models demand. A document without a field
that is *needed*, or with another type in it, makes a whole list of the app an error. Where the
column is empty the back end ignores the field, or hands it on as it is.
"""


_OF_THE_APP = "Of the app alone: `init-db` neither creates nor indexes it; `audit-db` reads it."


def page() -> str:
    """Make the page."""
    parts = {part.__name__: part for each in COLLECTIONS for part in parts_of(each.document)}
    sections = [_HEAD, *map(_collection, COLLECTIONS), "## Parts of documents\n"]
    sections += [_part(part) for _, part in sorted(parts.items())]
    return "\n".join(sections)


def _collection(collection: Collection) -> str:
    name = collection.name
    lines = [f"## `{name}`", "", collection.purpose, *_notes(collection.document)]
    if collection.soft_deletable:
        lines += ["", "Deleted by marking: every read leaves out what has a `deleted_at`."]
    if name in NOT_READ:
        lines += ["", f"Not read by the app: {NOT_READ[name]}."]
    indexes = [_OF_THE_APP] if collection.app_owned else _indexes(collection.indexes)
    read = _read_by_the_app(name) if name in READ else None
    fields = _fields(collection.document, read, copies_in(name))
    lines += ["", *fields, "", *indexes]
    return "\n".join([*lines, ""])


def _read_by_the_app(collection: str) -> dict[str, str]:
    """Describe what the back end demands of each field, by the field's stored name."""
    found: dict[str, str] = {}
    for demand in READ[collection]:
        schema = demand.model_json_schema(by_alias=False)
        for name, info in demand.model_fields.items():
            described = _demanded(schema["properties"][name], schema)
            if info.is_required():
                described += ", *needed*"
            found.setdefault(name, described)
    for name in (key.lstrip("-") for key in SORTED.get(collection, ())):
        found[name] = ", ".join([*filter(None, [found.get(name)]), "sorted by it"])
    return found


def _demanded(schema: Schema, whole: Schema) -> str:
    alternatives = schema.get("anyOf")
    if alternatives:
        return " or ".join(dict.fromkeys(_demanded(each, whole) for each in alternatives))
    if "$ref" in schema:
        fields = whole["$defs"][schema["$ref"].rpartition("/")[2]].get("required", [])
        names = ", ".join(f"`{name}`" for name in fields)
        return f"object with {names}" if names else "object"
    if "items" in schema:
        inside = _demanded(schema["items"], whole)
        return "list" if inside == "anything" else f"list of {inside}"
    if "enum" in schema:
        return ", ".join(f"`{value}`" for value in schema["enum"])
    words = _type({key: schema[key] for key in ("type", "format") if key in schema})
    return f"{words} without `/`" if schema.get("pattern") == "^[^/]+$" else words


def _part(part: type[BaseModel]) -> str:
    return "\n".join([f"### {part.__name__}", *_notes(part), "", *_fields(part), ""])


def _notes(document: type[BaseModel]) -> Iterator[str]:
    remarks = notes(document)
    if remarks:
        yield from ("", remarks)
    if document.model_config.get("extra") == "forbid":
        yield from ("", "No other fields.")


def _fields(
    document: type[BaseModel],
    read_by_the_app: Mapping[str, str] | None = None,
    copies: Mapping[str, Copy] = MappingProxyType({}),
) -> Iterator[str]:
    heads = ["field", "type", "required", "default", "range", "meaning"]
    heads += [] if read_by_the_app is None else ["the app reads"]
    yield _row(*heads)
    yield _row(*["---"] * len(heads))
    for field in documented_fields(document):
        required = "yes" if field.required else ""
        meaning = field.meaning
        if copy := copies.get(field.name):
            source = f"`{copy.source}.{copy.source_field}`"
            meaning = f"**Copy** of {source}, which `{copy.by}` names. {meaning}".strip()
        cells = [f"`{field.name}`", field.type, required, field.default, field.range, meaning]
        if read_by_the_app is not None:
            cells.append(read_by_the_app.get(field.name, ""))
        yield _row(*cells)


def _indexes(indexes: Sequence[Index]) -> Iterator[str]:
    if not indexes:
        yield "Only the index on `_id`."
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
    """Write the page, or check whether it is stale."""
    parser = argparse.ArgumentParser(prog=COMMAND, description="Write docs/database.md.")
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
