"""The contact sheet of a run, as the image store keeps it and as Prefect's UI shows it."""

import base64
import os
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import UTC, datetime
from functools import partial
from itertools import chain

from prefect.settings import PREFECT_CLOUD_UI_URL, PREFECT_UI_URL

from storycanvas.faces.errors import FaceError
from storycanvas.faces.pictures.image_store import Category, StoredPicture
from storycanvas.faces.pictures.reading import decode
from storycanvas.faces.sheets.contact_sheet import (
    Box,
    SheetEntry,
    contact_sheet,
    cut_out,
    pages,
    smaller_sheet,
)
from storycanvas.faces.sheets.layout import Cell, sheet_layout, sheet_views, shown_steps
from storycanvas.faces.sheets.marks import with_mark
from storycanvas.net.wording import plain_markdown
from tasks.faces.context import RunContext
from tasks.faces.inspection import Inspection
from tasks.faces.plan import PlanResult
from tasks.faces.reporting.picture_warnings import picture_warnings, with_reasons
from tasks.faces.step import StepOutput
from tasks.retries import retrying_task

DRAWERS = min(8, os.cpu_count() or 1)
"""Threads that decode pictures for a sheet; each has one in memory."""

INLINE_CELL = 320
"""Pixels of a cell in the sheet that the artifact carries itself; the full one is linked."""

Rows = Sequence[Sequence[SheetEntry]]


def sheet_rows(context: RunContext, inspection: Inspection, result: PlanResult) -> Rows:
    """Collect the pictures of the sheet, in the plan's layout.

    Where a result is missing, its place shows the newest picture on the way to it.
    """
    views = sheet_views(result.plan, _faces(inspection, result))
    outcomes: dict[str, str] = {report.step: report.outcome for report in result.steps}
    measured = {r.step: r.measure.line() for r in result.steps if r.measure is not None}
    warnings = with_reasons(picture_warnings(inspection, result), result)
    shown = shown_steps(result.plan)

    def entry(cell: Cell) -> SheetEntry:
        made, missing = _newest(result, cell)
        note = outcomes.get(missing or cell.name, "input")
        if made and missing:
            note = f"{missing}: {note}"
        # A picture that stands in several rows has its warnings in the first.
        names = () if cell.whole else shown.pop(cell.name, ())
        told = tuple(text for name in names for text in warnings.get(name, ()))
        output = result.outputs.get(made or "")
        if output is None:
            return SheetEntry(_label(result, cell), note, None, warnings=told)
        face, view = views[cell.name][cell.whole], output.views.get(cell.whole)
        cut = partial(_cut_out, context, output, face)
        line = "" if cell.whole else measured.get(made or "", "")
        return SheetEntry(_label(result, cell), note, view or cut, measured=line, warnings=told)

    return [[entry(cell) for cell in row] for row in sheet_layout(result.plan)]


def _faces(inspection: Inspection, result: PlanResult) -> dict[str, Box]:
    """Find the face that counts in each picture: of the look before, else of the first step."""
    faces, origins = dict(inspection.faces), result.plan.origins()
    for report in result.steps:
        if report.faces:
            faces.setdefault(origins[report.step], report.faces[0])
    return faces


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


@retrying_task("draw the contact sheet")
def draw_first_page(rows: Rows) -> bytes:
    """Draw the first page of the contact sheet in full size."""
    return _drawn(pages(rows)[0])


def _drawn(page: Rows) -> bytes:
    """Draw a page; its small pictures are made side by side: decoding large ones takes longest."""
    with ThreadPoolExecutor(DRAWERS) as drawers:
        cut = drawers.map(SheetEntry.encoded, (entry for row in page for entry in row))
        made = [[replace(entry, picture=next(cut)) for entry in row] for row in page]
    return contact_sheet(made)


@retrying_task("store the contact sheet")
def store_sheet(
    context: RunContext, rows: Rows, first: bytes, character_id: str | None
) -> list[StoredPicture]:
    """Put the pages of a contact sheet into the image store, each as soon as it is drawn."""
    now = datetime.now(UTC)
    drawn = chain([first], map(_drawn, pages(rows)[1:]))
    marked = (with_mark(page, character_id) for page in drawn)
    return [context.store.put(page, Category.CONTACT_SHEET, "jpg", now) for page in marked]


MAX_INLINE_BYTES = 1_100_000
"""Of the page that an artifact carries itself, in base64 1.5 MB with what stands beside it."""


def inline_sheet(page: bytes) -> bytes:
    """Make a page as small as an artifact takes it."""
    cell = INLINE_CELL
    while len(small := smaller_sheet(page, cell)) > MAX_INLINE_BYTES:
        cell = cell * 3 // 4
    return small


def sheet_markdown(
    rows: Rows, page: bytes, addresses: Sequence[str], pictures: dict[str, str]
) -> str:
    """Show the first page of the sheet, and below it a short link for each page and picture.

    Args:
        rows: The sheet.
        page: Its first page as it was drawn.
        addresses: Those of its pages in full size; none if it is not stored.
        pictures: Address of each picture by its label; only those of the first page are shown.
    """
    first, *others = pages(rows)
    inline = base64.b64encode(inline_sheet(page)).decode()
    image = f"![{_alt_text(first)}](data:image/jpeg;base64,{inline})"
    full = addresses[0] if addresses else ""
    links = {"page 1" if others else "whole sheet": full}
    links |= {f"page {number}": url for number, url in enumerate(addresses[1:], start=2)}
    labels = {entry.label for row in first for entry in row}
    links |= {label: url for label, url in pictures.items() if label in labels}
    shown = [f"[{_escaped(label)}]({url})" for label, url in links.items() if _opens(url)]
    parts = [f"[{image}]({full})" if _opens(full) else image]
    if shown:
        parts.append(f"Open in full size: {' · '.join(shown)}")
    elif full:
        # The UI scrolls a block of code; a long name in a line would run over the page's right
        # column.
        parts.append(f"The sheet in full size:\n\n```\n{full}\n```")
    return "\n\n".join(parts)


def _alt_text(page: Rows) -> str:
    """Say in words what a page of a sheet shows, row by row, for who does not see it."""
    rows = [" ".join(entry.described() for entry in row) for row in page]
    told = (f"Row {number}: {row}" for number, row in enumerate(rows, start=1))
    return plain_markdown(" ".join(["Contact sheet.", *told]))


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


def _cut_out(context: RunContext, output: StepOutput, face: Box | None) -> bytes | None:
    try:
        if output.picture:
            picture = output.picture.content()
            view = cut_out(picture.image, face)
            picture.compact()
            return view
        return cut_out(decode(context.store.read(output.path or ""), output.name), face)
    except FaceError:  # a sheet with an empty cell is better than none
        return None
