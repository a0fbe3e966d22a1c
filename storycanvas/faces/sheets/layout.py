"""Where each picture of a plan stands in its contact sheet: before beside after."""

from collections import Counter, defaultdict
from collections.abc import Iterator, Mapping
from dataclasses import dataclass

from storycanvas.faces.operations import SwapOperation
from storycanvas.faces.plan import Plan, PlanPicture, Step
from storycanvas.faces.sheets.contact_sheet import Box

Views = Mapping[str, Mapping[bool, Box | None]]
"""Which parts of each picture a sheet shows: the face to be shown, by whether all is shown."""


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
    shows all of the target and of the last result, unless the others do: with several faces.
    """
    origins = plan.origins()
    rows: list[list[Cell]] = []
    for picture in plan.pictures:
        made = [step for step in plan.steps if step.label and origins[step.name] == picture.name]
        rows += _rows_of(picture, sorted(made, key=_age), plan.columns)
    return rows + list(_whole(plan, origins))


def sheet_views(plan: Plan, faces: Mapping[str, Box]) -> Views:
    """Find which parts of a plan's pictures its sheet shows.

    Args:
        plan: The plan.
        faces: The face that counts, by picture; a step has it where its changed input has it.
    """
    focus: dict[str, Box | None] = dict(faces) | dict.fromkeys(_with_several_faces(plan))
    for step in plan.steps:
        focus[step.name] = focus.get(step.inputs[-1])
    views: defaultdict[str, dict[bool, Box | None]] = defaultdict(dict)
    for cell in (cell for row in sheet_layout(plan) for cell in row):
        views[cell.name][cell.whole] = None if cell.whole else focus.get(cell.name)
    return dict(views)


def shown_steps(plan: Plan) -> dict[str, tuple[str, ...]]:
    """Name what each cell stands for: a picture, or a step and those before it without a cell.

    Each step counts for one cell, the first that is made from it.
    """
    steps = {step.name: step for step in plan.steps}
    shown: dict[str, tuple[str, ...]] = {picture.name: (picture.name,) for picture in plan.pictures}
    taken: set[str] = set()
    for step in (step for step in plan.steps if step.label):
        names = [step.name]
        while (before := steps[names[-1]].inputs[-1]) in steps.keys() - taken:
            if steps[before].label:
                break
            names.append(before)
        taken.update(names)
        shown[step.name] = tuple(reversed(names))
    return shown


def _with_several_faces(plan: Plan) -> set[str]:
    """Find the pictures in which faces of different boxes are worked on: all of them is shown."""
    origins = plan.origins()
    boxes = {(origins[step.name], step.operation.face_box) for step in plan.steps}
    counts = Counter(name for name, box in boxes if box is not None)
    return {name for name, count in counts.items() if count > 1}


def _rows_of(picture: PlanPicture, made: list[Step], columns: int) -> Iterator[list[Cell]]:
    before = [Cell(picture.name, picture.label)] if picture.label else []
    after = [Cell(step.name, step.label) for step in made]
    beside = max(1, columns - len(before))
    if before and not after:
        yield before
    for start in range(0, len(after), beside):
        yield before + after[start : start + beside]


def _whole(plan: Plan, origins: dict[str, str]) -> Iterator[list[Cell]]:
    labels = {picture.name: picture.label for picture in plan.pictures}
    swaps = [step for step in plan.steps if isinstance(step.operation, SwapOperation)]
    shown = _with_several_faces(plan)
    for target in dict.fromkeys(origins[swap.name] for swap in swaps):
        if target in shown:
            continue
        made = [step for step in plan.steps if step.label and origins[step.name] == target]
        pairs = [(target, labels[target]), *((step.name, step.label) for step in made[-1:])]
        yield [Cell(name, f"{label}, whole", whole=True) for name, label in pairs if label]


def _age(step: Step) -> int:
    return step.age or 0
