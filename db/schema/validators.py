"""MongoDB's `$jsonSchema` from a pydantic model.

MongoDB speaks JSON Schema draft 4 without references, formats, defaults and `const`, has `bsonType`
for its own types, and refuses the type `integer` (MongoDB manual, operator `$jsonSchema`).
"""

from collections.abc import Mapping
from typing import Any

from pydantic import BaseModel

Schema = dict[str, Any]

_TYPES: dict[str, Schema] = {
    "string": {"bsonType": "string"},
    "boolean": {"bsonType": "bool"},
    "object": {"bsonType": "object"},
    "array": {"bsonType": "array"},
    "number": {"bsonType": "number"},
    "null": {"bsonType": "null"},
    # A program that knows one number type only, as the shell, stores whole numbers as doubles.
    "integer": {"bsonType": ["int", "long", "double"], "multipleOf": 1},
}
_FORMATS: dict[str, Schema] = {"date-time": {"bsonType": "date"}}
_COPIED = {
    *("minimum", "maximum", "multipleOf", "minLength", "maxLength", "pattern"),
    *("minItems", "maxItems", "uniqueItems", "enum", "required"),
}
_DROPPED = {"title", "description", "default", "examples", "discriminator", "type", "format"}
_EXCLUSIVE = {"exclusiveMinimum": "minimum", "exclusiveMaximum": "maximum"}
_NESTED_LISTS = {"anyOf", "oneOf", "allOf"}
_NESTED_BY_NAME = {"properties", "patternProperties"}


class UntranslatableSchema(TypeError):
    """A model uses something that MongoDB's `$jsonSchema` cannot say."""


def validator_of(document: type[BaseModel]) -> Schema:
    """Make the validator of a collection, the query `{"$jsonSchema": ...}`."""
    schema = document.model_json_schema(by_alias=True, mode="validation")
    parts = schema.pop("$defs", {})
    translated = _translate(schema, parts)
    if translated.get("additionalProperties") is False:
        translated["properties"].setdefault("_id", {})
    return {"$jsonSchema": translated}


def _translate(schema: Mapping[str, Any], parts: Mapping[str, Schema]) -> Schema:
    if "$ref" in schema:
        return _translate(parts[schema["$ref"].rpartition("/")[2]], parts)
    translated = _type(schema)
    for keyword, value in schema.items():
        if keyword not in _DROPPED:
            translated |= _keyword(keyword, value, parts)
    if "patternProperties" in translated:
        translated["additionalProperties"] = False
    return translated


def _type(schema: Mapping[str, Any]) -> Schema:
    if "format" in schema:
        return dict(_known(_FORMATS, schema["format"]))
    return dict(_known(_TYPES, schema["type"])) if "type" in schema else {}


def _known(table: Mapping[str, Schema], name: str) -> Schema:
    if name not in table:
        raise UntranslatableSchema(f"$jsonSchema has no word for {name!r}.")
    return table[name]


def _keyword(
    keyword: str,
    value: Any,  # noqa: ANN401 - each keyword has its own type
    parts: Mapping[str, Schema],
) -> Schema:
    if keyword in _COPIED:
        return {keyword: value}
    if keyword in _EXCLUSIVE:
        return {_EXCLUSIVE[keyword]: value, keyword: True}
    if keyword == "const":
        return {"enum": [value]}
    if keyword in _NESTED_LISTS:
        return {keyword: [_translate(part, parts) for part in value]}
    if keyword in _NESTED_BY_NAME:
        return {keyword: {name: _translate(part, parts) for name, part in value.items()}}
    if keyword in {"items", "additionalProperties"}:
        return _nested(keyword, value, parts)
    raise UntranslatableSchema(f"$jsonSchema does not know the keyword {keyword!r}.")


def _nested(keyword: str, value: object, parts: Mapping[str, Schema]) -> Schema:
    """Translate what may be a schema or a yes or no; yes is what MongoDB assumes anyway."""
    if value is True or value == {}:
        return {}
    return {keyword: _translate(value, parts) if isinstance(value, Mapping) else value}
