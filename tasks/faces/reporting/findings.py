"""What flows show that look at faces: numbered boxes with their data, or a mask on a face."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any

from storycanvas.faces.pictures.image_store import Category
from storycanvas.faces.pictures.reading import decode
from storycanvas.faces.reports.steps import StepReport
from storycanvas.faces.sheets.annotations import mask_overlay, numbered_boxes
from storycanvas.faces.sheets.contact_sheet import Box, SheetEntry, cut_out
from storycanvas.net.wording import counted
from tasks.faces.context import RunContext
from tasks.faces.fetched import FetchedPicture
from tasks.faces.plan import PlanResult
from tasks.faces.reporting.report import Extras
from tasks.faces.reporting.sheet import Rows
from tasks.retries import retrying_task


@retrying_task("draw the mask")
def mask_on_face(context: RunContext, result: PlanResult) -> Extras:
    """Show picture, mask and the mask on the picture side by side."""
    picture = result.outputs[result.plan.pictures[0].name].picture
    (step,) = result.steps
    if picture is None or step.output_path is None:
        return Extras()
    image = picture.content().image
    mask = decode(context.store.read(step.output_path), step.step)
    found = "" if step.faces_detected is None else counted(step.faces_detected, "face")
    cells = [
        SheetEntry("picture", f"{found} found" if found else "input", cut_out(image, None)),
        SheetEntry("mask", step.outcome, cut_out(mask, None)),
        SheetEntry("mask on the picture", step.outcome, mask_overlay(image, mask)),
    ]
    return Extras(rows=[cells])


@retrying_task("draw the faces")
def faces_found(context: RunContext, result: PlanResult) -> Extras:
    """Show each picture with its faces numbered, and store what is known of them as JSON."""
    rows = [row for step in result.steps for row in _face_rows(result, step)]
    data = json.dumps(rows, indent=1).encode()
    stored = context.store.put(data, Category.REPORT, "json", datetime.now(UTC))
    return Extras(tables={"faces": rows}, rows=_drawings(result), data=stored.url)


def _face_rows(result: PlanResult, step: StepReport) -> Iterator[dict[str, Any]]:
    name = step.step.removeprefix("detect ")
    for number, face in enumerate(_faces(result, step)):
        yield {"picture": name, "number": number, **face}


def _drawings(result: PlanResult) -> Rows:
    cells = [_drawing(result, step) for step in result.steps]
    return [cells[start : start + 2] for start in range(0, len(cells), 2)]


def _drawing(result: PlanResult, step: StepReport) -> SheetEntry:
    name = step.step.removeprefix("detect ")
    boxes = [(f["x"], f["y"], f["width"], f["height"]) for f in _faces(result, step)]
    note = counted(len(boxes), "face") if boxes else step.outcome
    output = result.outputs.get(name)
    fetched = output.picture if output else None
    return SheetEntry(name, note, lambda: _drawn(fetched, boxes) if fetched else None)


def _drawn(fetched: FetchedPicture, boxes: Sequence[Box]) -> bytes:
    picture = fetched.content()
    drawing = numbered_boxes(picture.image, boxes)
    picture.compact()
    return drawing


def _faces(result: PlanResult, step: StepReport) -> list[dict[str, Any]]:
    output = result.outputs.get(step.step)
    return (output.record.faces if output and output.record else None) or []
