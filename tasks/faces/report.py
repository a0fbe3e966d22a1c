"""The end of every face flow: record failures, publish, and return the report or raise it."""

import base64
import re
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from typing import ClassVar, cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact

from storycanvas.faces.pictures.contact_sheet import Box, SheetEntry, contact_sheet
from storycanvas.faces.pictures.image_store import Category, StoredPicture
from storycanvas.faces.plan import Step
from storycanvas.faces.preferences import Preferences, unused_preset
from storycanvas.faces.report import FaceRunReport, StepReport
from storycanvas.gpu.pool.selection import engine_of
from tasks.artifacts import ReportArtifact
from tasks.faces.context import RunContext
from tasks.faces.inspection import Inspection
from tasks.faces.plan import PlanResult, record_failures
from tasks.faces.step import RunRequest, StepOutput


def sheet_entries(
    context: RunContext, inspection: Inspection, result: PlanResult
) -> list[SheetEntry]:
    """Collect the cells: the inputs, then the labelled results, by age where they have one."""
    plan = result.plan
    focus: dict[str, Box | None] = dict(inspection.faces)
    for step in plan.steps:
        focus[step.name] = focus.get(step.inputs[-1])
    entries = []
    for picture in plan.pictures:
        if picture.label:
            data = _bytes(context, result.outputs[picture.name])
            entries.append(SheetEntry(picture.label, "input", data, focus.get(picture.name)))
    outcomes = {report.step: report.outcome for report in result.steps}
    labels = {step.name: step.label or step.name for step in plan.steps}
    shown = [step for step in plan.steps if step.label]
    for step in sorted(shown, key=_age):
        made, missing = result.newest_step(step.name)
        label = labels[made or step.name]
        note = f"{missing}: {outcomes[missing]}" if made and missing else outcomes[step.name]
        data = _bytes(context, result.outputs.get(made or ""))
        entries.append(SheetEntry(label, note, data, focus[step.name]))
    return entries


def store_sheet(context: RunContext, entries: list[SheetEntry]) -> StoredPicture:
    """Draw the contact sheet in full size and put it into the image store."""
    return context.store.put(
        contact_sheet(entries), Category.CONTACT_SHEET, "jpg", datetime.now(UTC)
    )


def _age(step: Step) -> int:
    return step.age or 0


def _bytes(context: RunContext, output: StepOutput | None) -> bytes | None:
    if output is None:
        return None
    return output.picture.png if output.picture else context.store.read(output.path or "")


INLINE_CELL = 160
"""Pixels of a cell in the sheet that the artifact carries itself; the full one is linked."""


def progress_artifact(context: RunContext, character_id: str) -> Callable[[float], None]:
    """Create a progress artifact, and return the function that moves it, from 0 to 1."""
    key = artifact_key(context.flow_name, character_id, "progress")
    artifact = cast(
        "UUID",
        create_progress_artifact(0.0, key=key, description=f"Progress of {context.run_name}"),
    )

    def move(share: float) -> None:
        update_progress_artifact(artifact, progress=share * 100)

    return move


def publish(context: RunContext, report: FaceRunReport, entries: Sequence[SheetEntry]) -> None:
    """Publish a run's contact sheet and table as artifacts."""
    summary = f"{context.run_name}: {report.summary()}"
    sheet = _markdown(report, contact_sheet(entries, cell=INLINE_CELL))
    rows = [_row(step) for step in report.steps]

    def key(name: str) -> str:
        return artifact_key(context.flow_name, report.character_id, name)

    ReportArtifact(key("contact-sheet"), sheet).publish(summary)
    ReportArtifact(key("steps"), rows).publish(summary)


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
    lines += [f"- {reason}" for reason in report.reasons()]
    lines += ["", "Full size:", "", _shown(report.contact_sheet or "")]
    return "\n".join(lines)


def _shown(url: str) -> str:
    """Link what a browser may open from Prefect's page; a file can only be named.

    The UI scrolls a block of code; a long name in a line would run over the page's right column.
    """
    return f"[{url}]({url})" if url.startswith(("http://", "https://")) else f"```\n{url}\n```"


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


class StepsFailed(Exception):
    """Some steps of a plan failed; the others are finished and kept.

    Attributes:
        report: What became of every step.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, report: FaceRunReport) -> None:
        reasons = " ".join(report.reasons())
        super().__init__(f"{report.summary()} {reasons} What is done is kept.")
        self.report = report


def finish_run(
    context: RunContext,
    request: RunRequest,
    inspection: Inspection,
    result: PlanResult,
    preferences: Preferences,
    *,
    base_age: int | None = None,
    estimated_age: float | None = None,
) -> FaceRunReport:
    """Make the report of a run, show it in the UI and return it.

    Ages are those of the base picture: `base_age` planned the jumps, `estimated_age` is the
    engine's.

    Raises:
        StepsFailed: Some steps did not get done; it carries the report.
    """
    if result.errors:
        record_failures(context, request, result)
    entries = sheet_entries(context, inspection, result)
    sheet = store_sheet(context, entries)
    report = FaceRunReport(
        flow=context.flow_name,
        character_id=request.character_id,
        engine=f"{request.status.engine} {request.status.engine_version}",
        host=context.hosts.names,
        base_age=base_age,
        estimated_age=estimated_age,
        warnings=(
            *inspection.warnings,
            *unused_preset(result.plan, preferences),
            *context.hosts.remarks(engine_of(request.status)),
        ),
        steps=result.steps,
        contact_sheet=sheet.url,
        contact_sheet_path=sheet.path,
    )
    publish(context, report, entries)
    if report.unfinished:
        raise StepsFailed(report)
    return report
