"""What a run shows in the Prefect UI: live progress, the contact sheet, a table of its steps."""

import base64
import re
from collections.abc import Callable, Sequence
from typing import cast
from uuid import UUID

from prefect.artifacts import (
    create_markdown_artifact,
    create_progress_artifact,
    create_table_artifact,
    update_progress_artifact,
)

from faces.contact_sheet import SheetEntry, contact_sheet
from faces.report import FaceRunReport, StepReport
from tasks.road import Road

INLINE_CELL = 160
"""Pixels of a cell in the sheet that the artifact carries itself; the full one is linked."""


def progress_artifact(road: Road, character_id: str) -> Callable[[float], None]:
    """Create a progress artifact.

    Returns:
        A function that moves it, from 0 to 1.
    """
    key = artifact_key(road.flow_name, character_id, "progress")
    artifact = cast(
        "UUID", create_progress_artifact(0.0, key=key, description=f"Progress of {road.run_name}")
    )

    def move(share: float) -> None:
        update_progress_artifact(artifact, progress=share * 100)

    return move


def publish(road: Road, report: FaceRunReport, entries: Sequence[SheetEntry]) -> None:
    """Publish a run's contact sheet and table as artifacts.

    Args:
        road: What the run worked with.
        report: The run's report.
        entries: The cells of its contact sheet.
    """
    inline = contact_sheet(entries, cell=INLINE_CELL)
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


def _markdown(report: FaceRunReport, inline: bytes) -> str:
    image = f"data:image/jpeg;base64,{base64.b64encode(inline).decode()}"
    lines = [f"# {report.flow}: {report.character_id}", "", f"![contact sheet]({image})", ""]
    lines.append(f"{report.summary()} Engine: {report.engine} on {report.host}.")
    if report.base_age is not None:
        lines.append(f"Base age {report.base_age}, the engine's estimate {report.estimated_age}.")
    lines += ["", *(f"- Note: {warning}" for warning in report.warnings)]
    lines += [f"- {step.step}: {step.error}" for step in report.unfinished]
    lines += ["", f"Full size: {_shown(report.contact_sheet or '')}"]
    return "\n".join(lines)


def _shown(url: str) -> str:
    """Link what a browser may open from Prefect's page; a file can only be named."""
    return f"[{url}]({url})" if url.startswith(("http://", "https://")) else f"`{url}`"


def _row(step: StepReport) -> dict[str, str]:
    sources = ", ".join(f"{name}: {source}" for name, source in step.sources.items())
    return {
        "step": step.step,
        "operation": step.operation_type,
        "outcome": step.outcome,
        "host": step.host or "",
        "seconds": f"{step.seconds:.2f}",
        "engine seconds": "" if step.engine_seconds is None else f"{step.engine_seconds:.2f}",
        "settings from": sources,
        "result or reason": step.error or step.output_url or "",
    }
