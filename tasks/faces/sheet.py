"""The contact sheet of a run, as the image store keeps it and as Prefect's UI shows it."""

import base64
from collections.abc import Sequence
from datetime import UTC, datetime

from prefect.settings import PREFECT_CLOUD_UI_URL, PREFECT_UI_URL

from storycanvas.faces.errors import PictureNotFound, StoreUnavailable
from storycanvas.faces.pictures.contact_sheet import Box, SheetEntry, contact_sheet
from storycanvas.faces.pictures.image_store import Category, StoredPicture
from storycanvas.faces.sheet_layout import Cell, sheet_layout
from tasks.faces.context import RunContext
from tasks.faces.inspection import Inspection
from tasks.faces.plan import PlanResult
from tasks.faces.step import StepOutput
from tasks.retries import retrying_task

INLINE_CELL = 320
"""Pixels of a cell in the sheet that the artifact carries itself; the full one is linked."""

Rows = Sequence[Sequence[SheetEntry]]


def sheet_rows(context: RunContext, inspection: Inspection, result: PlanResult) -> Rows:
    """Collect the pictures of the sheet, in the plan's layout.

    Where a result is missing, its place shows the newest picture on the way to it.
    """
    focus: dict[str, Box | None] = dict(inspection.faces)
    for step in result.plan.steps:
        focus[step.name] = focus.get(step.inputs[-1])
    outcomes: dict[str, str] = {report.step: report.outcome for report in result.steps}

    def entry(cell: Cell) -> SheetEntry:
        made, missing = _newest(result, cell)
        note = outcomes.get(missing or cell.name, "input")
        if made and missing:
            note = f"{missing}: {note}"
        data = _bytes(context, result.outputs.get(made or ""))
        face = None if cell.whole else focus.get(cell.name)
        return SheetEntry(_label(result, cell), note, data, face)

    return [[entry(cell) for cell in row] for row in sheet_layout(result.plan)]


def _newest(result: PlanResult, cell: Cell) -> tuple[str | None, str | None]:
    """Find the picture that a cell shows, and the first step that is missing after it."""
    inputs = {picture.name for picture in result.plan.pictures}
    return (cell.name, None) if cell.name in inputs else result.newest_step(cell.name)


def _label(result: PlanResult, cell: Cell) -> str:
    made, _ = _newest(result, cell)
    if made in {None, cell.name}:
        return cell.label
    labels = {step.name: step.label or step.name for step in result.plan.steps}
    return f"{labels[made]}, whole" if cell.whole else labels[made]


@retrying_task("store the contact sheet")
def store_sheet(context: RunContext, rows: Rows) -> StoredPicture:
    """Draw the contact sheet in full size and put it into the image store."""
    return context.store.put(contact_sheet(rows), Category.CONTACT_SHEET, "jpg", datetime.now(UTC))


def sheet_markdown(rows: Rows, full: str, pictures: dict[str, str]) -> str:
    """Show the sheet, and below it a short link for each picture.

    Args:
        rows: The sheet.
        full: Address of the sheet in full size; empty if it is not stored.
        pictures: Address of each picture by its label.
    """
    inline = base64.b64encode(contact_sheet(rows, cell=INLINE_CELL)).decode()
    image = f"![contact sheet](data:image/jpeg;base64,{inline})"
    links = {"whole sheet": full, **pictures}
    shown = [f"[{_escaped(label)}]({url})" for label, url in links.items() if _opens(url)]
    parts = [f"[{image}]({full})" if _opens(full) else image]
    if shown:
        parts.append(f"Open in full size: {' · '.join(shown)}")
    elif full:
        # The UI scrolls a block of code; a long name in a line would run over the page's right
        # column.
        parts.append(f"The sheet in full size:\n\n```\n{full}\n```")
    return "\n\n".join(parts)


def picture_links(context: RunContext, result: PlanResult) -> dict[str, str]:
    """Find the address of each picture of the sheet, by its label in the sheet's order."""
    links: dict[str, str] = {}
    for cell in (cell for row in sheet_layout(result.plan) for cell in row if not cell.whole):
        made, _ = _newest(result, cell)
        if made in result.outputs:
            # A later cell may show what a missing picture would have been made from.
            links.setdefault(_label(result, cell), context.viewing_url(result.outputs[made].url))
    return links


def artifact_page(artifact_id: object) -> str | None:
    """Build the address of an artifact's page; None without a server that has a UI.

    On an own server it is the page of the UI that opens by default; where that one is switched off,
    the server leads its address to the other.
    """
    ui = PREFECT_UI_URL.value()
    if not ui:
        return None
    version = "" if ui.startswith(PREFECT_CLOUD_UI_URL.value()) else "/v2"
    return f"{ui.rstrip('/')}{version}/artifacts/artifact/{artifact_id}"


def _opens(url: str) -> bool:
    """Whether a browser opens an address from Prefect's page, which it does with no file."""
    return url.startswith(("http://", "https://"))


def _escaped(label: str) -> str:
    return label.replace("[", r"\[").replace("]", r"\]")


def _bytes(context: RunContext, output: StepOutput | None) -> bytes | None:
    if output is None:
        return None
    try:
        return output.picture.png if output.picture else context.store.read(output.path or "")
    except (PictureNotFound, StoreUnavailable):  # a sheet with an empty cell is better than none
        return None
