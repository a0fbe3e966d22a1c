"""Where each picture of a plan stands in its contact sheet: before beside after."""

from collections.abc import Iterator
from dataclasses import dataclass

from storycanvas.faces.operations import SwapOperation
from storycanvas.faces.plan import Plan, PlanPicture, Step

COLUMNS = 3
"""Cells of a row: on a page of Prefect's UI more of them are too small to judge a face by."""


@dataclass(frozen=True)
class Cell:
    """A place in the sheet.

    Attributes:
        name: Name of the picture or step in the plan.
        label: What stands below it.
        whole: Whether all of the picture is shown; else the part around the face.
    """

    name: str
    label: str
    whole: bool = False


def sheet_layout(plan: Plan) -> list[list[Cell]]:
    """Arrange the labelled pictures of a plan in rows.

    A row begins with an input and goes on with what was made from it, by age where steps have one.
    An input with many results is repeated in each of their rows. A swap has one more row, which
    shows all of the target and of the last result.
    """
    origins = _origins(plan)
    rows: list[list[Cell]] = []
    for picture in plan.pictures:
        made = [step for step in plan.steps if step.label and origins[step.name] == picture.name]
        rows += _rows_of(picture, sorted(made, key=_age))
    return rows + list(_whole(plan, origins))


def _origins(plan: Plan) -> dict[str, str]:
    """Find the input that each step changes; of a swap it is the target."""
    origins: dict[str, str] = {}
    for step in plan.steps:
        origins[step.name] = origins.get(step.inputs[-1], step.inputs[-1])
    return origins


def _rows_of(picture: PlanPicture, made: list[Step]) -> Iterator[list[Cell]]:
    before = [Cell(picture.name, picture.label)] if picture.label else []
    after = [Cell(step.name, step.label) for step in made]
    beside = COLUMNS - len(before)
    if before and not after:
        yield before
    for start in range(0, len(after), beside):
        yield before + after[start : start + beside]


def _whole(plan: Plan, origins: dict[str, str]) -> Iterator[list[Cell]]:
    labels = {picture.name: picture.label for picture in plan.pictures}
    for swap in plan.steps:
        if isinstance(swap.operation, SwapOperation):
            target = origins[swap.name]
            made = [step for step in plan.steps if step.label and origins[step.name] == target]
            pairs = [(target, labels[target]), *((step.name, step.label) for step in made[-1:])]
            yield [Cell(name, f"{label}, whole", whole=True) for name, label in pairs if label]


def _age(step: Step) -> int:
    return step.age or 0
