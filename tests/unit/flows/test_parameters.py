"""What a person types into a form is read as it was meant, in every flow."""

import inspect
from collections.abc import Iterator
from typing import Any, get_type_hints

import pytest
from prefect import Flow
from pydantic import TypeAdapter, ValidationError

from deployments.run_flow import flow_names, load_flow
from flows.age_progression import age_progression
from flows.enhance_then_swap import enhance_then_swap
from storycanvas.faces.operations import EnhancementModel, FaceSwapperModel
from storycanvas.faces.recipes.steps import Choice

Schema = dict[str, Any]


def is_free_text(schema: Schema) -> bool:
    other = {"enum", "const", "pattern", "format", "contentMediaType"}
    return schema.get("type") == "string" and not other & schema.keys()


def typed_texts(flow: Flow[..., Any]) -> Iterator[tuple[str, Any, bool]]:
    """The parameters of a flow that take any text or a list of texts: name, type, if a list."""
    for name, annotation in get_type_hints(flow.fn, include_extras=True).items():
        if name == "return":
            continue
        schema = TypeAdapter(annotation).json_schema()
        for variant in schema.get("anyOf", [schema]):
            if is_free_text(variant) or is_free_text(variant.get("items", {})):
                yield name, annotation, "items" in variant


TYPED = [
    pytest.param(annotation, listed, id=f"{flow}-{name}")
    for flow in flow_names()
    for name, annotation, listed in typed_texts(load_flow(flow))
]


@pytest.mark.parametrize(("annotation", "listed"), TYPED)
def test_a_line_break_at_the_end_of_a_text_is_not_part_of_it(
    annotation: object, *, listed: bool
) -> None:
    typed = "\tsample-astronaut \r\n"

    read = TypeAdapter(annotation).validate_python([typed] if listed else typed)

    assert (list(read) == ["sample-astronaut"]) if listed else (read == "sample-astronaut")


def test_texts_of_all_flows_are_looked_at() -> None:
    assert len(TYPED) >= 14


@pytest.mark.parametrize("flow", [age_progression, enhance_then_swap])
def test_a_character_of_blanks_alone_is_refused(flow: Flow[..., Any]) -> None:
    annotation = get_type_hints(flow.fn, include_extras=True)["character_id"]

    with pytest.raises(ValidationError, match="at least 1 character"):
        TypeAdapter(annotation).validate_python(" \n")


RESTORERS = ["as preferred", "none", *EnhancementModel]
DROPDOWNS = [
    (age_progression, "enhance", RESTORERS),
    (enhance_then_swap, "enhance_source", RESTORERS),
    (enhance_then_swap, "enhance_result", RESTORERS),
    (enhance_then_swap, "face_swapper_model", ["as preferred", *FaceSwapperModel]),
]


@pytest.mark.parametrize(("flow", "name", "choices"), DROPDOWNS)
def test_a_model_is_one_dropdown_that_begins_with_as_preferred(
    flow: Flow[..., Any], name: str, choices: list[str]
) -> None:
    field = flow.parameters.properties[name]

    assert field["enum"] == choices
    assert field["default"] == "as preferred"
    assert inspect.signature(flow.fn).parameters[name].default is Choice.AS_PREFERRED


@pytest.mark.parametrize(
    ("stored", "read"),
    [
        (None, None),
        ("none", Choice.NONE),
        ("as preferred", Choice.AS_PREFERRED),
        ("gfpgan_1.4", EnhancementModel.GFPGAN_1_4),
        (EnhancementModel.CODEFORMER, EnhancementModel.CODEFORMER),
    ],
)
def test_parameters_of_earlier_runs_are_read(stored: object, read: object) -> None:
    given = {"character_id": "sample-astronaut", "enhance": stored}

    assert age_progression.validate_parameters(given)["enhance"] is read
