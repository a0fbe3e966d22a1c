"""Adding pictures that were looked at: each is stored, and becomes a row of `images`."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, ClassVar, cast

from prefect.states import Completed

from db.couple_rows import (
    CouplePictures,
    ImageType,
    NewImage,
    NewTemplate,
    image_id,
    template_id,
)
from storycanvas.couple.adding import COUPLE, AddedPicture, AddingReport, written_faces
from storycanvas.faces.errors import FaceError, StoreUnavailable
from storycanvas.faces.pictures.image_store import Category
from storycanvas.faces.pictures.reading import Picture
from storycanvas.faces.reports.batch import PARTLY_DONE
from storycanvas.faces.sources.trust import shown
from tasks.artifacts import DRY_RUN_NOTE, ReportArtifact, publish_report
from tasks.couple.looking import SeenPicture
from tasks.faces.context import RunContext
from tasks.retries import retrying_task


class NothingAdded(Exception):
    """None of the pictures of a run could be added.

    Attributes:
        report: What became of each.
    """

    retryable: ClassVar[bool] = False

    def __init__(self, report: AddingReport) -> None:
        super().__init__(report.summary())
        self.report = report


@dataclass(frozen=True)
class TemplateFields:
    """What a person says of templates.

    Attributes:
        title: Of all of them; None takes the name of each file.
    """

    title: str | None = None
    artist: str | None = None
    source_url: str | None = None


@retrying_task("add picture {seen.stem}")
def add_source(
    context: RunContext, seen: SeenPicture, user_id: str | None, tags: Sequence[str]
) -> AddedPicture:
    """Store a picture of a person, and add its row; a dry run only looks for that."""
    if context.dry_run:
        return _foreseen(context, seen, image_id("source", user_id, seen.content().sha256))
    image = _stored(context, seen, "source", user_id=user_id, tags=tags)
    is_new = CouplePictures(context.database).add_image(image, datetime.now(UTC))
    return _added(seen, image, is_new=is_new)


@retrying_task("add template {seen.stem}")
def add_template(
    context: RunContext,
    seen: SeenPicture,
    fields: TemplateFields,
    category: str | None,
    tags: Sequence[str],
) -> AddedPicture:
    """Store a picture of a couple, and add its rows; a dry run only looks for them."""
    if context.dry_run:
        image_of = image_id("template", None, seen.content().sha256)
        return _foreseen(context, seen, image_of, template_id(image_of))
    faces = seen.faces or ()
    image = _stored(context, seen, "template", category=category, tags=tags)
    template = NewTemplate(
        image,
        title=fields.title or seen.stem,
        artist=fields.artist,
        source_url=fields.source_url,
        face_positions=tuple(written_faces(faces)),
        is_active=len(faces) >= COUPLE,
    )
    is_new = CouplePictures(context.database).add_template(template, datetime.now(UTC))
    return _added(seen, image, template.id, is_new=is_new)


def _stored(
    context: RunContext,
    seen: SeenPicture,
    image_type: ImageType,
    *,
    tags: Sequence[str],
    user_id: str | None = None,
    category: str | None = None,
) -> NewImage:
    """Store a picture, encoded anew: the same pixels are the same bytes, whatever their files."""
    picture = seen.content()
    file = Picture.of_image(picture.image).png
    stored = context.store.put(file, Category(image_type), "png", datetime.now(UTC))
    picture.compact()
    return NewImage(
        image_type,
        picture.sha256,
        user_id,
        filename=f"{seen.stem}.png",
        storage_path=stored.path,
        file_size=len(file),
        width=picture.width,
        height=picture.height,
        faces=len(seen.faces or ()),
        category=category,
        tags=tuple(tags),
    )


def _foreseen(
    context: RunContext, seen: SeenPicture, image: str, template: str | None = None
) -> AddedPicture:
    """Tell what a run would do with a picture, by the ids that its pixels have."""
    pictures = CouplePictures(context.database)
    is_there = pictures.has("templates", template) if template else pictures.has("images", image)
    return AddedPicture(
        picture=shown(seen.reference),
        outcome="known" if is_there else "planned",
        faces=None if seen.faces is None else len(seen.faces),
        image_id=image,
        template_id=template,
    )


def _added(
    seen: SeenPicture, image: NewImage, template_id: str | None = None, *, is_new: bool
) -> AddedPicture:
    return AddedPicture(
        picture=shown(seen.reference),
        outcome="added" if is_new else "known",
        faces=len(seen.faces or ()),
        image_id=image.id,
        template_id=template_id,
    )


def add_each(
    pictures: Sequence[SeenPicture], add: Callable[[SeenPicture], AddedPicture]
) -> tuple[AddedPicture, ...]:
    """Add pictures one after the other; one that cannot be had stops no other.

    Raises:
        StoreUnavailable: No other could be stored either; what was added stays.
    """
    return tuple(_add(seen, add) for seen in pictures)


def _add(seen: SeenPicture, add: Callable[[SeenPicture], AddedPicture]) -> AddedPicture:
    if seen.error is not None:
        return seen.failed(seen.error)
    try:
        return add(seen)
    except StoreUnavailable:
        raise
    except FaceError as error:
        return seen.failed(error)


def user_notes(context: RunContext, user_id: str | None) -> tuple[str, ...]:
    """Note a user that is not there: the app shows the pictures to that user only."""
    if user_id is None or _has_user(context, user_id):
        return ()
    return (f"There is no user {user_id!r}, who alone is shown the pictures in the app.",)


@retrying_task("look for user {user_id}")
def _has_user(context: RunContext, user_id: str) -> bool:
    return CouplePictures(context.database).has_user(user_id)


def finish_adding(key: str, report: AddingReport, *, dry_run: bool) -> AddingReport:
    """Publish a report under the key of its table, and end the run with it.

    Returns:
        The report, within the state that the flow returns: Completed, with the name `Partly done`
        where some pictures were not added.

    Raises:
        NothingAdded: None was.
    """
    summary, failed = report.summary(), report.of_outcome("failed")
    rows: Sequence[dict[str, Any]] = report.rows()
    table = ReportArtifact(f"{key}-plan" if dry_run else key, rows)
    publish_report(summary, table, warnings=report.warnings(), dry_run=dry_run)
    if len(failed) == len(report.pictures):
        raise NothingAdded(report)
    name = PARTLY_DONE if failed and not dry_run else "Completed"
    summary = f"{summary} {DRY_RUN_NOTE}" if dry_run else summary
    return cast("AddingReport", Completed(name=name, message=summary, data=report))
