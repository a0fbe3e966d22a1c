"""A model becomes a `$jsonSchema` that MongoDB takes, or is refused; nothing gets lost silently."""

from datetime import date, datetime
from typing import Annotated, Any, Literal

import pytest
from pydantic import BaseModel, ConfigDict, Field, create_model

from db.schema.validators import UntranslatableSchema, validator_of

WHOLE = {"bsonType": ["int", "long", "double"], "multipleOf": 1}
NULL = {"bsonType": "null"}


class Part(BaseModel):
    number: int


class Closed(BaseModel):
    model_config = ConfigDict(extra="forbid")

    part: Part


TRANSLATIONS: list[tuple[Any, dict[str, Any]]] = [
    (str, {"bsonType": "string"}),
    (bool, {"bsonType": "bool"}),
    (int, WHOLE),
    (float, {"bsonType": "number"}),
    (datetime, {"bsonType": "date"}),
    (Any, {}),
    (dict[str, Any], {"bsonType": "object"}),
    (dict[str, int], {"bsonType": "object", "additionalProperties": WHOLE}),
    (list[str], {"bsonType": "array", "items": {"bsonType": "string"}}),
    (list[Any], {"bsonType": "array"}),
    (str | None, {"anyOf": [{"bsonType": "string"}, NULL]}),
    (Literal["a", "b"], {"bsonType": "string", "enum": ["a", "b"]}),
    (Literal["a"], {"bsonType": "string", "enum": ["a"]}),
    (Annotated[int, Field(ge=0, le=100)], {**WHOLE, "minimum": 0, "maximum": 100}),
    (
        Annotated[float, Field(gt=0)],
        {"bsonType": "number", "minimum": 0, "exclusiveMinimum": True},
    ),
    (Annotated[str, Field(max_length=9)], {"bsonType": "string", "maxLength": 9}),
    (
        dict[Annotated[str, Field(pattern="^[0-9]+$")], bool],
        {
            "bsonType": "object",
            "patternProperties": {"^[0-9]+$": {"bsonType": "bool"}},
            "additionalProperties": False,
        },
    ),
    (Part, {"bsonType": "object", "properties": {"number": WHOLE}, "required": ["number"]}),
]


def translated(document: type[BaseModel]) -> dict[str, Any]:
    schema: dict[str, Any] = validator_of(document)["$jsonSchema"]
    return schema


@pytest.mark.parametrize(("kind", "expected"), TRANSLATIONS)
def test_a_type_is_translated_for_mongodb(kind: type, expected: dict[str, Any]) -> None:
    schema = translated(create_model("Sample", field=(kind, ...)))

    assert schema["properties"]["field"] == expected
    assert schema["required"] == ["field"]


def test_a_field_with_a_default_is_not_required_and_a_closed_document_may_have_its_id() -> None:
    schema = translated(Closed)

    assert "required" not in translated(create_model("Sample", field=(int, 0)))
    assert schema["additionalProperties"] is False
    assert set(schema["properties"]) == {"_id", "part"}


@pytest.mark.parametrize("kind", [date, bytes, tuple[int, str]])
def test_a_type_that_mongodb_cannot_check_is_refused(kind: type) -> None:
    with pytest.raises(UntranslatableSchema):
        validator_of(create_model("Sample", field=(kind, ...)))
