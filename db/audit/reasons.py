"""Why a document is invalid: fields and rules, never a value."""

from functools import cache
from typing import Any

from pydantic import BaseModel, ValidationError

from db.audit.document_names import shortened
from db.connection import Document

Reason = tuple[str, str]
"""Path of a field, list indexes and free keys left out, and what is wrong with it."""

_QUOTES_A_VALUE = {
    "union_tag_invalid": "Input has a tag that is none of those expected",
    "value_error": "Input is refused by the model",
    "assertion_error": "Input is refused by the model",
}
_ITEM = "[]"
_FREE_KEY = "*"


def reasons(model: type[BaseModel], document: Document) -> set[Reason]:
    """Validate a document as it is stored: nothing is converted, but 3.0 is a whole number.

    Args:
        model: What it should be.
        document: What is stored.

    Returns:
        Each reason once; nothing when it is valid.
    """
    plain = _with_whole_numbers(document)
    try:
        model.model_validate(plain, strict=True)
    except ValidationError as error:
        found = error.errors(include_url=False, include_input=False, include_context=False)
        fields = _fields(model)
        return {
            (_path(one["loc"], plain, fields, one["type"]), _message(one["type"], one["msg"]))
            for one in found
        }
    return set()


def _with_whole_numbers(value: Any) -> Any:  # noqa: ANN401 - whatever is stored
    """Read a double without fraction as the whole number that a shell meant by it."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {name: _with_whole_numbers(part) for name, part in value.items()}
    if isinstance(value, list):
        return [_with_whole_numbers(part) for part in value]
    return value


def _message(kind: str, message: str) -> str:
    return _QUOTES_A_VALUE.get(kind, message)


def _path(
    location: tuple[int | str, ...], document: Document, fields: frozenset[str], kind: str
) -> str:
    """Follow a location into the document; names of a union's branches lead nowhere in it."""
    here: Any = document
    path = ""
    for number, part in enumerate(location, 1):
        if isinstance(part, int):
            path += _ITEM
            here = here[part] if isinstance(here, list) and part < len(here) else None
            continue
        there = isinstance(here, dict) and part in here
        unexpected = kind == "extra_forbidden" and number == len(location)
        if part in fields or part == "[key]" or unexpected:
            path += f".{part}"
        elif there:
            path += f".{_FREE_KEY}"
        here = here[part] if there else here
    return shortened(path.lstrip("."))


@cache
def _fields(model: type[BaseModel]) -> frozenset[str]:
    """Name every field of a model and of the models inside of it, as they are stored."""
    schema = model.model_json_schema(by_alias=True)
    parts = [schema, *schema.get("$defs", {}).values()]
    return frozenset(name for part in parts for name in part.get("properties", {}))
