"""The end of every face flow: record failures, publish, and return the report or raise it."""

import re
import time
from collections.abc import Callable
from typing import ClassVar, cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.states import Completed

from storycanvas.faces.errors import StoreUnavailable
from storycanvas.faces.pictures.image_store import StoredPicture
from storycanvas.faces.preferences import Preferences, unused_preset
from storycanvas.faces.report import FaceRunReport, StepReport
from storycanvas.gpu.pool.selection import engine_of
from tasks.artifacts import ReportArtifact
from tasks.faces.context import RunContext
from tasks.faces.inspection import Inspection
from tasks.faces.plan import PlanResult, end_interrupted, record_failures
from tasks.faces.sheet import (
    Rows,
    artifact_page,
    picture_links,
    sheet_markdown,
    sheet_rows,
    store_sheet,
)
from tasks.faces.step import RunRequest
from tasks.progress import EVERY_SECONDS


def progress_artifact(context: RunContext, character_id: str) -> Callable[[float], None]:
    """Create a progress artifact, and return what moves it to 1, every two seconds at most."""
    key = artifact_key(context.flow_name, character_id, "progress")
    artifact = cast(
        "UUID",
        create_progress_artifact(0.0, key=key, description=f"Progress of {context.run_name}"),
    )

    moved = time.monotonic()

    def move(share: float) -> None:
        nonlocal moved
        if share == 1 or time.monotonic() > moved + EVERY_SECONDS:
            moved = time.monotonic()
            update_progress_artifact(artifact, progress=share * 100)

    return move


def publish(
    context: RunContext, report: FaceRunReport, rows: Rows, links: dict[str, str]
) -> FaceRunReport:
    """Publish sheet and table as artifacts, and add the sheet's page to the report.

    `links` has the address of each picture by its label.
    """
    summary = f"{context.run_name}: {report.summary()}"
    full = context.viewing_url(report.contact_sheet or "")
    text = "\n\n".join([sheet_markdown(rows, full, links), *_paragraphs(report)])

    def key(name: str) -> str:
        return artifact_key(context.flow_name, report.character_id, name)

    page = artifact_page(ReportArtifact(key("contact-sheet"), text).publish(summary))
    ReportArtifact(key("steps"), [_row(step) for step in report.steps]).publish(summary)
    return report.model_copy(update={"contact_sheet_page": page})


def artifact_key(*parts: str) -> str:
    """Join names to a key that Prefect accepts: lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")


def _paragraphs(report: FaceRunReport) -> list[str]:
    """Write what the sheet cannot show."""
    sentences = [report.summary(), f"Engine: {report.engine} on `{report.host}`."]
    if report.base_age is not None:
        sentences += [f"Base age {report.base_age}, the engine's estimate {report.estimated_age}."]
    points = [f"- Warning: {warning}" for warning in report.warnings]
    points += [f"- Note: {note}" for note in report.notes]
    points += [f"- {reason}" for reason in report.reasons()]
    return [" ".join(sentences), "\n".join(points)]


def _row(step: StepReport) -> dict[str, str]:
    sources = ", ".join(f"{name}: {source}" for name, source in step.sources.items())
    return {
        "step": step.step,
        "outcome": step.outcome,
        "reason": step.error or "",
        "seconds": f"{step.seconds:.2f}",
        "engine seconds": "" if step.engine_seconds is None else f"{step.engine_seconds:.2f}",
        "settings from": sources,
        "operation": step.operation_type,
        "host": step.host or "",
    }


class StepsFailed(Exception):
    """Some steps of a plan failed; the others are finished and kept.

    Attributes:
        report: What became of every step.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, report: FaceRunReport) -> None:
        reasons = " ".join(report.reasons())
        sentence = f"{report.summary()} {reasons} What is done is kept."
        super().__init__(report.with_link(sentence))
        self.report = report


def _stored_sheet(context: RunContext, rows: Rows) -> tuple[StoredPicture | None, tuple[str, ...]]:
    """Store the sheet; where that is impossible the run's own outcome and the artifacts stay."""
    try:
        return store_sheet(context, rows), ()
    except StoreUnavailable as error:
        return None, (f"The contact sheet is not stored. {error}",)


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

    Returns:
        The report, within the state that the flow returns: the state's message ends with the link
        to the contact sheet. Prefect gives the report itself to those who call the flow.

    Raises:
        StepsFailed: Some steps did not get done; it carries the report.
    """
    if result.errors:
        record_failures(context, request, result)
    rows = sheet_rows(context, inspection, result)
    sheet, trouble = _stored_sheet(context, rows)
    report = FaceRunReport(
        flow=context.flow_name,
        character_id=request.character_id,
        engine=f"{request.status.engine} {request.status.engine_version}",
        host=context.hosts.names,
        base_age=base_age,
        estimated_age=estimated_age,
        warnings=(
            *inspection.warnings,
            *preferences.unknown_settings(),
            *unused_preset(result.plan, preferences),
            *context.hosts.remarks(engine_of(request.status)),
            *trouble,
        ),
        notes=inspection.notes,
        steps=result.steps,
        contact_sheet=sheet.url if sheet else None,
        contact_sheet_path=sheet.path if sheet else None,
    )
    report = publish(context, report, rows, picture_links(context, result))
    end_interrupted(result)
    if report.unfinished:
        raise StepsFailed(report)
    # The UI makes a link of it in the log's last line, which repeats the message.
    message = report.with_link(report.summary())
    return cast("FaceRunReport", Completed(message=message, data=report))
