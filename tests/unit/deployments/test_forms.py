"""The run forms as the Prefect UI gets them: one plain field and one plain sentence a parameter."""

import re
from typing import Any, get_type_hints

import pytest
from prefect.utilities.schema_tools import validate
from pydantic import TypeAdapter, ValidationError

from deployments.forms import first_paragraph, form_schema
from deployments.run_flow import flow_names, load_flow
from storycanvas.faces.operations import AGE_BANDS_TEXT

Schema = dict[str, Any]

PLAIN_TYPES = {"string", "integer", "number", "boolean", "array"}
SEVERAL_KINDS = {"anyOf", "oneOf", "allOf", "$ref"}
SENTENCE_ENDS = re.compile(r"[.!?](?=\s|$)")
WORDS_OF_CODE = re.compile(r"\bNone\b|\bTrue\b|\bFalse\b|\bArgs:|[`\n]")

every_flow = pytest.mark.parametrize("name", flow_names())


def schema_of(name: str) -> Schema:
    return form_schema(load_flow(name).parameters.model_dump())


def fields_of(name: str) -> dict[str, Schema]:
    fields: dict[str, Schema] = schema_of(name)["properties"]
    return fields


def is_accepted(schema: Schema, **values: object) -> bool:
    """Check values as Prefect's server does when a run is submitted."""
    return validate(values, schema, ignore_required=True) == []


def kind_of(name: str, field: str) -> TypeAdapter[Any]:
    return TypeAdapter(get_type_hints(load_flow(name).fn, include_extras=True)[field])


def takes_none(name: str, field: str) -> bool:
    try:
        kind_of(name, field).validate_python(None)
    except ValidationError:
        return False
    return True


def is_flat(field: Schema) -> bool:
    """Whether the form shows a box, a switch, a list or a dropdown, or a group, and no tabs."""
    if "properties" in field:
        return all(map(is_flat, field["properties"].values()))
    is_dropdown = all(isinstance(value, str | int) for value in field.get("enum", [None]))
    parts = field.keys() | field.get("items", {}).keys()
    return not parts & SEVERAL_KINDS and (field.get("type") in PLAIN_TYPES or is_dropdown)


def is_plain_sentence(text: str) -> bool:
    ends = SENTENCE_ENDS.findall(text)
    return text[:1].isupper() and text.endswith(".") and ends == ["."] and not code_in(text)


def code_in(text: str) -> list[str]:
    return WORDS_OF_CODE.findall(text)


@every_flow
def test_each_field_is_one_box_switch_list_or_dropdown(name: str) -> None:
    assert [field for field, shown in fields_of(name).items() if not is_flat(shown)] == []


@every_flow
def test_each_field_says_in_one_plain_sentence_what_it_is(name: str) -> None:
    shown_fields = fields_of(name)
    for group in [shown for shown in shown_fields.values() if "properties" in shown]:
        shown_fields = shown_fields | group["properties"]
    sentences = {field: shown.get("description", "") for field, shown in shown_fields.items()}

    assert {f: text for f, text in sentences.items() if not is_plain_sentence(text)} == {}


@pytest.mark.parametrize(("name", "field"), [("age-progression", "ages"), ("face-chain", "values")])
def test_a_field_for_ages_names_their_bands(name: str, field: str) -> None:
    assert AGE_BANDS_TEXT in fields_of(name)[field]["description"]


@every_flow
def test_no_placeholder_is_left_in_a_text_of_a_form(name: str) -> None:
    assert "{age_bands}" not in str(schema_of(name))


@every_flow
def test_the_fields_of_a_group_keep_their_order(name: str) -> None:
    groups = [shown for shown in fields_of(name).values() if "properties" in shown]

    for group in groups:
        places = [field["position"] for field in group["properties"].values()]
        assert places == [*range(len(places))]


@every_flow
def test_no_docstring_of_a_class_stands_in_a_form(name: str) -> None:
    assert schema_of(name)["definitions"] == {}


@every_flow
def test_what_may_be_none_may_be_left_empty_and_may_be_null(name: str) -> None:
    """Except a dropdown: Prefect can offer its values, or accept null beside them in tabs."""
    schema = schema_of(name)
    optional = {field for field in schema["properties"] if takes_none(name, field)}
    dropdowns = {field for field in optional if "enum" in schema["properties"][field]}

    assert optional & {*schema["required"]} == set()
    assert {f for f in optional - dropdowns if not is_accepted(schema, **{f: None})} == set()


@every_flow
def test_a_text_that_may_be_left_empty_is_empty_after_an_enter_in_its_field(name: str) -> None:
    texts = {
        field: kind_of(name, field).validate_python("\n")
        for field, shown in fields_of(name).items()
        if takes_none(name, field) and shown.get("type") == "string" and "enum" not in shown
    }

    assert {field: value for field, value in texts.items() if value is not None} == {}


@every_flow
def test_a_form_offers_the_flows_own_defaults(name: str) -> None:
    raw = load_flow(name).parameters.model_dump()["properties"]
    schema = schema_of(name)
    defaults = {f: shown["default"] for f, shown in raw.items() if shown.get("default") is not None}

    assert {f for f, value in defaults.items() if not is_accepted(schema, **{f: value})} == set()
    assert {
        field
        for field, value in defaults.items()
        if schema["properties"][field].get("default") != value and not takes_none(name, field)
    } == set()


@every_flow
def test_a_deployment_is_described_by_the_first_paragraph(name: str) -> None:
    described = first_paragraph(load_flow(name).description or "")

    assert described.endswith(".")
    assert code_in(described) == []


@every_flow
def test_shaping_a_form_again_changes_nothing(name: str) -> None:
    assert form_schema(schema_of(name)) == schema_of(name)


@pytest.mark.parametrize(
    ("docstring", "paragraph"),
    [
        ("", ""),
        ("One line.", "One line."),
        ("Two\nlines.\n\nArgs:\n    force: Again.", "Two lines."),
    ],
)
def test_the_first_paragraph_is_one_line(docstring: str, paragraph: str) -> None:
    assert first_paragraph(docstring) == paragraph
