"""Another expression: one picture with values of the face editor, or a sweep of one of them."""

from collections.abc import Mapping
from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

from storycanvas.faces.errors import BadField
from storycanvas.faces.operations import EditOperation, EditorValue, FaceOperation
from storycanvas.faces.plan import Gallery, Plan, PlanPicture, Step
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.recipes.pipeline import Pipeline, RecipeInput
from storycanvas.faces.settings import with_positions

BASE = "base"
EDITOR_FIELDS = tuple(
    name for name in EditOperation.model_fields if name.startswith("face_editor_")
)
"""The 14 values of the editor by their stored names."""

STRIP_COLUMNS = 8
"""Cells of a row of a sweep: the picture before, and seven values."""


class Sweep(BaseModel):
    """One value of the editor in several steps; a form that was left alone names neither."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_positions)

    field: str | None = Field(
        None,
        title="Field",
        description="The value that changes.",
        json_schema_extra={"enum": [*EDITOR_FIELDS]},
    )
    values: Annotated[list[EditorValue], Field(max_length=21)] = Field(
        default_factory=list, title="Values", description="Its steps, 2 to 21 from -100 to 100."
    )

    def chosen(self) -> tuple[str, list[int]] | None:
        """Return field and values, or None where a person left both alone.

        Raises:
            BadField: The field is unknown, or has fewer than two values.
        """
        if self.field is None and not self.values:
            return None
        if self.field not in EDITOR_FIELDS:
            raise BadField(
                f"{self.field!r} is no value of the editor; they are {', '.join(EDITOR_FIELDS)}."
            )
        values = sorted(set(self.values))
        if len(values) < 2:  # noqa: PLR2004 - one is no sweep
            raise BadField(f"The sweep of {self.field} needs at least two values.")
        return self.field, values


def edit_expression(
    base_image: str,
    values: Mapping[str, int | None],
    *,
    sweep: Sweep | None = None,
    preferences: Preferences | None = None,
) -> Plan:
    """Plan one picture with another expression, or one for each value of a sweep.

    Args:
        base_image: Reference.
        values: Values of the editor by field, -100 to 100; None is not sent.
        sweep: A field whose values are made one after another, beside the others.
        preferences: Settings of a preset, of the character and of the form.

    Raises:
        BadField: No value changes anything, or the field of the sweep is unknown.
    """
    chosen = preferences or Preferences()
    named = {name: value for name, value in values.items() if value is not None}
    field, swept = (sweep.chosen() if sweep else None) or (None, [0])
    variants = [named | {field: value} if field else named for value in swept]
    steps = [_editing(variant, field, chosen) for variant in variants]
    if not any(_changes(step.operation) for step in steps):
        raise BadField("No value of the editor is other than 0, so nothing would change; name one.")
    base = PlanPicture(name=BASE, reference=base_image, label=BASE)
    columns = 3 if field is None else min(STRIP_COLUMNS, len(steps) + 1)
    # A value of 0 beside none other is the picture as it is.
    made = tuple(step for step in steps if _changes(step.operation))
    return Plan(pictures=(base,), steps=made, columns=columns)


def expression_pipeline(
    *, picture: str | None, sweep: Sweep | None, **values: int | None
) -> Pipeline:
    """Make the pipeline of the flow `edit-expression`, whose parameters these are."""

    def recipe(found: RecipeInput) -> Plan:
        base = found.pictures[BASE]
        return edit_expression(base, values, sweep=sweep, preferences=found.preferences)

    return Pipeline({BASE: picture}, recipe, source=BASE)


def _editing(values: Mapping[str, int], swept: str | None, chosen: Preferences) -> Step:
    operation, sources = chosen.resolve(EditOperation, fitted={}, explicit=values)
    name, label = "edit", "edited"
    if swept is not None:
        short = swept.removeprefix("face_editor_").replace("_", " ")
        name = label = f"{short} {values[swept]}"
    return Step(
        name=name,
        operation=operation,
        inputs=(BASE,),
        gallery=Gallery.EDITED_EXPRESSIONS,
        label=label,
        sources=sources,
    )


def _changes(operation: FaceOperation) -> bool:
    return any(getattr(operation, name) for name in EDITOR_FIELDS)
