"""What a document's model says about its fields, in the words of a documentation page."""

import inspect
import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, get_args

from pydantic import BaseModel
from pydantic.fields import FieldInfo

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
        meaning: What the model's docstring says about it.
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
    """Read what a model's docstring says after its first sentence and before its sections."""
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
