"""The contact sheet of a run: which pictures it shows, in which order, and around which face."""

from datetime import UTC, datetime

from faces.contact_sheet import Box, SheetEntry, contact_sheet
from faces.image_store import Category, StoredPicture
from faces.plan import Step
from tasks.inspect import Inspection
from tasks.outcomes import PlanResult
from tasks.road import Road
from tasks.run_step import Made


def sheet_entries(road: Road, seen: Inspection, result: PlanResult) -> list[SheetEntry]:
    """Collect the cells: the inputs, then the labelled results, by age where they have one.

    Args:
        road: What the run worked with.
        seen: Where the faces of the inputs are.
        result: What became of the plan.
    """
    plan = result.plan
    focus: dict[str, Box | None] = dict(seen.faces)
    for step in plan.steps:
        focus[step.name] = focus.get(step.inputs[-1])
    entries = []
    for picture in plan.pictures:
        if picture.label:
            data = _bytes(road, result.made[picture.name])
            entries.append(SheetEntry(picture.label, "input", data, focus.get(picture.name)))
    outcomes = {report.step: report.outcome for report in result.steps}
    shown = [step for step in plan.steps if step.label]
    for step in sorted(shown, key=_age):
        data = _bytes(road, result.made.get(step.name))
        entries.append(SheetEntry(step.label, outcomes[step.name], data, focus[step.name]))
    return entries


def store_sheet(road: Road, entries: list[SheetEntry]) -> StoredPicture:
    """Draw the contact sheet in full size and put it into the image store."""
    return road.store.put(contact_sheet(entries), Category.CONTACT_SHEET, "jpg", datetime.now(UTC))


def _age(step: Step) -> int:
    return step.age or 0


def _bytes(road: Road, made: Made | None) -> bytes | None:
    if made is None:
        return None
    return made.picture.png if made.picture else road.store.read(made.path or "")
