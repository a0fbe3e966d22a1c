"""The end of every face flow: record failures, publish, and return the report or raise it."""

import re
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, ClassVar, cast
from uuid import UUID

from prefect.artifacts import create_progress_artifact, update_progress_artifact
from prefect.states import Completed

from storycanvas.faces.errors import StoreUnavailable
from storycanvas.faces.gallery.markdown import linked
from storycanvas.faces.measures.measure import SAME_BELOW
from storycanvas.faces.pictures.image_store import StoredPicture
from storycanvas.faces.preferences import Preferences, unused_preset
from storycanvas.faces.reports.steps import FaceRunReport
from storycanvas.faces.results.meters import release_meters
from storycanvas.faces.sheets.contact_sheet import pages
from storycanvas.gpu.pool.selection import engine_of
from storycanvas.net.wording import plain_markdown
from tasks.artifacts import ReportArtifact, subject_key
from tasks.faces.context import RunContext
from tasks.faces.inspection import Inspection
from tasks.faces.plan import PlanResult, end_interrupted, record_failures
from tasks.faces.reporting.picture_warnings import picture_warnings
from tasks.faces.reporting.sheet import (
    Rows,
    artifact_page,
    draw_first_page,
    picture_links,
    sheet_markdown,
    sheet_rows,
    store_sheet,
)
from tasks.faces.reporting.slow_steps import with_usual_seconds
from tasks.faces.reporting.table import step_rows
from tasks.faces.step import RunRequest
from tasks.pictures.archive import with_archive
from tasks.pictures.gallery import show_new_results
from tasks.progress import EVERY_SECONDS


def progress_artifact(context: RunContext, subject: str) -> Callable[[float], None]:
    """Create a progress artifact, and return what moves it to 1, every two seconds at most."""
    key = artifact_key(context.flow_name, subject_key(subject), "progress")
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
    context: RunContext,
    subject: str,
    report: FaceRunReport,
    sheet: str,
    rows: list[dict[str, str]],
) -> FaceRunReport:
    """Publish sheet and table as artifacts, and add the sheet's page to the report.

    The artifacts are named after flow and `subject`; `sheet` is Markdown, `rows` are the table's.
    """
    summary = f"{context.run_name}: {report.summary()}"
    text = "\n\n".join([sheet, *_paragraphs(report, context.viewing_url)])

    def key(name: str) -> str:
        return artifact_key(context.flow_name, subject_key(subject), name)

    page = artifact_page(ReportArtifact(key("contact-sheet"), text).publish(summary))
    ReportArtifact(key("steps"), rows).publish(summary)
    return report.model_copy(update={"contact_sheet_page": page})


def artifact_key(*parts: str) -> str:
    """Join names to a key that Prefect accepts: lower-case letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", "-".join(parts).lower()).strip("-")


MAX_POINTS = 50
"""Reasons below a sheet."""


def _paragraphs(report: FaceRunReport, viewing: Callable[[str], str]) -> list[str]:
    """Write what the sheet cannot show; `viewing` finds what a browser opens."""
    sentences = [report.summary(), _whose(report), f"Engine: {report.engine} on `{report.host}`."]
    if report.base_age is not None:
        sentences += [f"Base age {report.base_age}, the engine's estimate {report.estimated_age}."]
    sentences += _what_likeness_is(report)
    if report.archive is not None:
        sentences += [f"{linked('All pictures, with their settings', viewing(report.archive))}."]
    if report.gallery_page is not None:
        sentences += [f"{linked('All results of the character', viewing(report.gallery_page))}."]
    points = [f"- Warning: {warning}" for warning in report.warnings]
    points += [f"- Note: {note}" for note in report.notes]
    points += [f"- {reason}" for reason in report.reasons(MAX_POINTS)]
    return [" ".join(sentences), "\n".join(points)]


def _what_likeness_is(report: FaceRunReport) -> list[str]:
    measures = [step.measure for step in report.steps if step.measure]
    scales = {found.likeness_scale for found in measures if found.likeness_scale is not None}
    return [
        f"Likeness is the distance of two faces: 0 is the same face, {SAME_BELOW[scale]:g} or more "
        "is usually another person's."
        for scale in sorted(scales)
    ]


def _whose(report: FaceRunReport) -> str:
    if report.character_id is None:
        return "No character."
    name = plain_markdown(report.character_name or report.character_id)
    page = report.character_page
    return f"Character: {name}." if page is None else f"Character: [{name}]({page})."


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


@dataclass(frozen=True)
class Extras:
    """What a flow adds to the report of its run.

    Attributes:
        tables: Rows of tables by name.
        rows: A sheet in place of the one that the plan's layout gives.
        data: What the app can show of the run's data as JSON.
        notes: What the report says besides.
    """

    tables: Mapping[str, Sequence[Mapping[str, Any]]] = field(default_factory=dict)
    rows: Rows | None = None
    data: str | None = None
    notes: tuple[str, ...] = ()


NO_EXTRAS = Extras()


def _stored_sheet(
    context: RunContext, rows: Rows, first: bytes, character_id: str | None
) -> tuple[list[StoredPicture], tuple[str, ...]]:
    """Store the sheet; where that is impossible the run's own outcome and the artifacts stay."""
    try:
        return store_sheet(context, rows, first, character_id), ()
    except StoreUnavailable as error:
        return [], (f"The contact sheet is not stored. {error}",)


def _gallery_page(context: RunContext, request: RunRequest, result: PlanResult) -> str | None:
    """Make the character's gallery anew if the run has a picture for it."""
    made = any(step.is_done and step.output_path is not None for step in result.steps)
    if request.character_id is None or not made:
        return None
    gallery = show_new_results(context.database, context.store, request.character_id)
    if gallery is None:
        return None
    gallery.artifact(context.viewing_url).publish(gallery.report.summary())
    return gallery.report.page


def report_run(
    context: RunContext,
    request: RunRequest,
    inspection: Inspection,
    result: PlanResult,
    preferences: Preferences,
    extras: Extras = NO_EXTRAS,
) -> FaceRunReport:
    """Make the report of a run and show it in the UI.

    `extras` are what a flow adds to it.
    """
    if result.errors:
        record_failures(context, request, result)
    rows = extras.rows or sheet_rows(context, inspection, result)
    if result.interrupt is not None:
        rows = pages(rows)[0]  # all of a long sheet takes longer than a stopped run has
    if len(pages(rows)) > 1:
        release_meters()  # a sheet of dozens of pages takes its place
    first = draw_first_page(rows)
    stored, trouble = _stored_sheet(context, rows, first, request.character_id)
    said = (
        *preferences.unknown_settings(),
        *unused_preset(result.plan, preferences),
        *context.hosts.remarks(engine_of(request.status)),
        *trouble,
    )
    plain = plain_report(context, request, inspection, result, said)
    report = plain.model_copy(
        update={
            "data": extras.data,
            "notes": (*inspection.notes, *result.plan.notes, *extras.notes, *plain.notes),
            "contact_sheet": stored[0].url if stored else None,
            "contact_sheet_path": stored[0].path if stored else None,
            "contact_sheet_pages": tuple(page.url for page in stored),
        }
    )
    report = with_archive(context, result, report)
    report = report.model_copy(update={"gallery_page": _gallery_page(context, request, result)})
    _show_tables(context, request, extras)
    addresses = [context.viewing_url(page.url) for page in stored]
    text = sheet_markdown(rows, first, addresses, picture_links(context, result))
    table = step_rows(result.plan, report, picture_warnings(inspection, result))
    return publish(context, request.subject, report, text, table)


def _show_tables(context: RunContext, request: RunRequest, extras: Extras) -> None:
    for name, table in extras.tables.items():
        key = artifact_key(context.flow_name, subject_key(request.subject), name)
        ReportArtifact(key, table).publish(f"{context.run_name}: {name}")


def finish_run(result: PlanResult, report: FaceRunReport) -> FaceRunReport:
    """End a flow with the report of its run.

    Returns:
        The report, within the state that the flow returns: the state's message ends with the link
        to the contact sheet. Prefect gives the report itself to those who call the flow.

    Raises:
        StepsFailed: Some steps did not get done; it carries the report.
    """
    end_interrupted(result)
    if report.unfinished:
        raise StepsFailed(report)
    # The UI makes a link of it in the log's last line, which repeats the message.
    message = report.with_link(report.summary())
    return cast("FaceRunReport", Completed(message=message, data=report))


def plain_report(
    context: RunContext,
    request: RunRequest,
    inspection: Inspection,
    result: PlanResult,
    said: Sequence[str] = (),
) -> FaceRunReport:
    """Make the report of a run without a sheet, and show it nowhere; `said` are more warnings."""
    plan = result.plan
    report = FaceRunReport(
        flow=context.flow_name,
        character_id=request.character_id,
        character_name=request.character_name,
        character_page=context.character_page(request.character_id),
        engine=f"{request.status.engine} {request.status.engine_version}",
        host=context.hosts.names,
        base_age=plan.base_age,
        estimated_age=None if plan.base_age is None else inspection.estimated_age_of(plan),
        warnings=(*inspection.warnings, *plan.warnings, *said),
        steps=with_usual_seconds(context.database, request.status.engine, result),
    )
    warnings = (*report.warnings, *report.check_warnings())
    notes = (*report.bound_notes(), *report.measure_notes(), *report.slow_notes())
    return report.model_copy(update={"warnings": warnings, "notes": notes})
