"""Putting a run's pictures into one ZIP file of the image store, for a person to take away."""

from datetime import UTC, datetime
from functools import partial
from posixpath import dirname
from typing import Any

from storycanvas.faces.errors import FaceError
from storycanvas.faces.gallery.archive import ArchivedPicture, settings_json, write_archive
from storycanvas.faces.pictures.image_store import Category
from storycanvas.faces.pictures.store_access import MEGABYTE
from storycanvas.faces.reports.steps import FaceRunReport
from tasks.faces.context import RunContext
from tasks.faces.plan import PlanResult
from tasks.retries import retrying_task


def with_archive(context: RunContext, result: PlanResult, report: FaceRunReport) -> FaceRunReport:
    """Add to a report the link to its pictures; a run does not fail over it."""
    most = context.environment.storycanvas_archive_mb * MEGABYTE
    pictures = archived_pictures(result)
    if not (most and pictures) or result.interrupt is not None:
        return report
    try:
        return report.model_copy(update={"archive": archive(context, report, pictures, most)})
    except FaceError as error:
        note = f"The pictures are not put into an archive. {error}"
        return report.model_copy(update={"notes": (*report.notes, note)})


def archived_pictures(result: PlanResult) -> list[ArchivedPicture]:
    """List the pictures that a run made or found made, with how each was made."""
    return [
        ArchivedPicture(step.step, step.output_path, _settings(result, step.step))
        for step in result.steps
        if step.is_done and step.output_path is not None
    ]


def _settings(result: PlanResult, step: str) -> dict[str, Any]:
    record = result.outputs[step].record
    if record is None:
        return {}
    fields = (
        *("operation_type", "parameters", "inputs", "engine", "engine_version", "operation_key"),
        *("created_at", "measure"),
    )
    told = record.model_dump(mode="json", include={*fields})
    output = record.output
    return told | ({"address": output.url, "pixel_hash": output.sha256} if output else {})


@retrying_task("put the pictures into an archive")
def archive(
    context: RunContext, report: FaceRunReport, pictures: list[ArchivedPicture], most: int
) -> str:
    """Store the archive, or the settings alone where the pictures have more than `most` bytes.

    Returns:
        Address of the archive, or of the folder in which the pictures lie.
    """
    store, now = context.store, datetime.now(UTC)
    run = {"flow": report.flow, "character_id": report.character_id, "engine": report.engine}
    settings = settings_json(run, pictures)
    if sum(store.size(each.path) for each in pictures) > most:
        store.put(settings, Category.REPORT, "json", now)
        return f"{store.root}/{dirname(pictures[0].path)}"
    write = partial(write_archive, store=store, settings=settings, pictures=pictures)
    return store.put_written(write, Category.REPORT, "zip", now).url
