"""What a run shows in the Prefect UI: live progress, the contact sheet, a table of its steps."""

import base64
import logging
import re
from collections.abc import Callable
from datetime import UTC, datetime

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from faces.contact_sheet import SheetEntry, contact_sheet
from faces.image_store import Category, StoredPicture
from faces.report import FaceRunReport, StepReport
from tasks.outcomes import PlanResult
from tasks.road import Road
from tasks.run_step import Made

INLINE_CELL = 160
"""Pixels of a cell in the sheet that the artifact carries itself; the full one is linked."""

log = logging.getLogger(__name__)


def progress_artifact(road: Road, character_id: str) -> Callable[[float], None]:
    """Create a progress artifact.

    Returns:
        A function that moves it, from 0 to 1.
    """
    key = artifact_key(road.flow_name, character_id, "progress")
    artifact = create_progress_artifact(0.0, key=key, description=f"Steps of {road.run_name}")

    def move(share: float) -> None:
        update_progress_artifact(artifact, progress=share * 100)

    return move


def store_contact_sheet(road: Road, result: PlanResult) -> StoredPicture:
    """Draw the contact sheet in full size and put it into the image store."""
    sheet = contact_sheet(_entries(road, result))
    return road.store.put(sheet, Category.CONTACT_SHEET, "jpg", datetime.now(UTC))


def publish(road: Road, report: FaceRunReport, result: PlanResult) -> None:
    """Publish a run's contact sheet and table as artifacts.

    Args:
        road: What the run worked with.
        report: The run's report.
        result: What became of its plan.
    """
    inline = contact_sheet(_entries(road, result), cell=INLINE_CELL)
    create_markdown_artifact(
        _markdown(report, inline),
        key=artifact_key(road.flow_name, report.character_id, "contact-sheet"),
        description=f"{road.run_name}: {report.summary()}",
    )
    create_table_artifact(
        [_row(step) for step in report.steps],
        key=artifact_key(road.flow_name, report.character_id, "steps"),
        description=f"{road.run_name}: {report.summary()}",
    )


def artifact_key(*parts: str) -> str:
    """Join names to a key that Prefect accepts: lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")


def _entries(road: Road, result: PlanResult) -> list[SheetEntry]:
    entries = []
    for picture in result.plan.pictures:
        if picture.label:
            made = result.made[picture.name]
            entries.append(SheetEntry(picture.label, "input", _bytes(road, made)))
    reports = {report.step: report for report in result.steps}
    for step in result.plan.steps:
        if step.label:
            data = _bytes(road, result.made.get(step.name))
            entries.append(SheetEntry(step.label, reports[step.name].outcome, data))
    return entries


def _bytes(road: Road, made: Made | None) -> bytes | None:
    if made is None:
        return None
    return made.picture.png if made.picture else road.store.read(made.path or "")


def _markdown(report: FaceRunReport, inline: bytes) -> str:
    image = f"data:image/jpeg;base64,{base64.b64encode(inline).decode()}"
    lines = [f"# {report.flow}: {report.character_id}", "", f"![contact sheet]({image})", ""]
    lines.append(f"{report.summary()} Engine: {report.engine} on {report.host}.")
    if report.base_age is not None:
        lines.append(f"Base age {report.base_age}, the engine's estimate {report.estimated_age}.")
    lines += ["", *(f"- Note: {warning}" for warning in report.warnings)]
    lines += [f"- {step.step}: {step.error}" for step in report.unfinished]
    lines += ["", f"Full size: [{report.contact_sheet}]({report.contact_sheet})"]
    return "\n".join(lines)


def _row(step: StepReport) -> dict[str, str]:
    sources = ", ".join(f"{name}: {source}" for name, source in step.sources.items())
    return {
        "step": step.step,
        "operation": step.operation_type,
        "outcome": step.outcome,
        "seconds": f"{step.seconds:.2f}",
        "engine seconds": "" if step.engine_seconds is None else f"{step.engine_seconds:.2f}",
        "result or reason": step.error or step.output_url or "",
        "settings from": sources,
    }
