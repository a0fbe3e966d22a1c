"""What a couple swap is made from: pictures by reference or row, and what documents say of them."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from db.connection import Document
from db.couple_rows import CoupleRows
from db.schema.later_names import NamesDisagree, with_first_names
from storycanvas.couple.placing import FaceMapping, HusbandOn, read_mappings
from storycanvas.couple.swap import CoupleSwap
from storycanvas.couple.written_faces import FaceData, Person, face_data
from storycanvas.faces.errors import BadField, PictureGone, PictureNotAllowed, TemplateUnusable
from storycanvas.faces.recipes.steps import Choice, EnhancerChoice
from storycanvas.faces.sources.storage_paths import reference_of
from storycanvas.faces.sources.trust import not_allowed
from tasks.faces.context import RunContext
from tasks.waiting import first_task

PREPROCESSED = "preprocessed"
"""Type of a picture whose faces are filled: nothing can be swapped into it."""


@dataclass(frozen=True)
class CoupleRequest:
    """What a person asks for.

    Attributes:
        template_id: Id of a template; else `template_image` is one's reference.
        photos: References or ids of rows, by person; None leaves it to the task.
        face_mappings: Who goes where, as written.
        task_id: Id of a task whose template, photos and mappings are taken where none is named.
    """

    template_id: str | None = None
    template_image: str | None = None
    photos: Mapping[Person, str | None] = field(default_factory=dict)
    face_mappings: object = None
    husband: HusbandOn | None = None
    enhance: EnhancerChoice = Choice.NONE
    task_id: str | None = None


def couple_swap(context: RunContext, asked: CoupleRequest) -> CoupleSwap:
    """Find what a person asks for.

    Raises:
        BadField: No template, two, or a mapping that cannot be read.
        TemplateUnusable: There is no such template, or it is not active.
        PictureGone: A row is not there.
    """
    task = swap_of_task(context, read_task(context, asked.task_id)) if asked.task_id else None
    photos = {
        person: photo_reference(context, name) for person, name in asked.photos.items() if name
    }
    mappings = read_mappings(asked.face_mappings)
    if asked.template_id and asked.template_image:
        raise BadField("template_id and template_image each name the template; leave one empty.")
    if asked.template_id:
        template, data = read_template(context, asked.template_id)
    elif asked.template_image:
        template, data = asked.template_image, FaceData()
    elif task:
        template, data = task.template, task.face_data
    else:
        raise BadField("No template is named; give template_id or template_image.")
    return CoupleSwap(
        template=template,
        photos={**(task.photos if task else {}), **photos},
        face_data=data,
        mappings=mappings or (task.mappings if task else ()),
        husband=asked.husband,
        enhance=asked.enhance,
    )


@first_task("read task {task_id}")
def read_task(context: RunContext, task_id: str) -> Document:
    """Read a task by its id, or by the app's own name of it."""
    return CoupleRows(context.database).task(task_id)


def swap_of_task(context: RunContext, task: Mapping[str, Any]) -> CoupleSwap:
    """Find what a task asks for; its template may have become inactive, or been deleted, since.

    Only the photos that its mappings name are needed.

    Raises:
        BadField: A mapping, or what the template's documents say of its faces, cannot be read.
        TemplateUnusable: Its template is not there any more.
        PictureGone: The row of a picture is not there any more.
    """
    mappings = read_mappings(task.get("face_mappings"))
    template_id = task.get("template_id")
    if not isinstance(template_id, str):
        raise TemplateUnusable("The task names no template.")
    asked_at = task.get("created_at")
    template, data = read_template(
        context,
        template_id,
        active=False,
        asked_at=asked_at if isinstance(asked_at, datetime) else None,
    )
    return CoupleSwap(template, _photos_of(context, task, mappings), data, mappings)


def _photos_of(
    context: RunContext, task: Mapping[str, Any], mappings: tuple[FaceMapping, ...]
) -> dict[Person, str]:
    needed = {mapping.source_photo for mapping in mappings} or set(Person)
    named = first_names("faceswap_tasks", task)
    photos = {}
    for person in needed:
        row_id = named.get(f"{person}_image_id")
        if row_id is None:
            raise PictureGone(f"The task names no photo of the {person}.")
        photos[person] = picture_reference(read_image(context, str(row_id)), context)
    return photos


@first_task("read template {template_id}")
def read_template(
    context: RunContext, template_id: str, *, active: bool = True, asked_at: datetime | None = None
) -> tuple[str, FaceData]:
    """Read a template.

    Args:
        context: The run's context.
        template_id: Its id.
        active: Whether one that is not active, or deleted, is refused.
        asked_at: When the indices of a mapping were chosen, UTC; None is now.

    Returns:
        The reference of its picture, and what its documents say of the faces.

    Raises:
        TemplateUnusable: There is none, it is not active, or its picture's faces are filled.
        PictureGone: The row of its picture is not there.
        BadField: What its documents say of its faces cannot be read.
    """
    rows = CoupleRows(context.database)
    found = rows.template(template_id, deleted=not active)
    if found is None:
        raise TemplateUnusable(f"There is no template {template_id!r}; it may have been deleted.")
    if active and found.get("is_active") is False:
        raise TemplateUnusable(
            f"The template {template_id!r} is not active; activate it in the app or take another."
        )
    image_id = first_names("templates", found).get("image_id")
    image = rows.image(str(image_id)) if image_id is not None else None
    if image is None:
        raise PictureGone(f"The template {template_id!r} has no picture any more.")
    if image.get("image_type") == PREPROCESSED:
        raise TemplateUnusable(
            f"The picture of the template {template_id!r} has its faces filled, so none can be "
            "swapped; name its original picture."
        )
    preprocessing = rows.preprocessing(template_id)
    data = face_data(found.get("face_positions"), preprocessing, asked_at)
    return picture_reference(image, context), data


def photo_reference(context: RunContext, name: str) -> str:
    """Find the picture that a person names by a reference, or by the id of its row.

    Raises:
        PictureGone: The name is an id, and there is no such row.
    """
    row = find_image(context, name)
    if row is not None:
        return picture_reference(row, context)
    if _is_id(name):
        raise PictureGone(f"There is no picture with the id {name!r}; it may have been deleted.")
    return name


@first_task("look for picture {name}")
def find_image(context: RunContext, name: str) -> Document | None:
    """Read the row of a picture, if a name is the id of one."""
    return CoupleRows(context.database).image(name)


def read_image(context: RunContext, image_id: str) -> Document:
    """Read the row of a picture.

    Raises:
        PictureGone: It is not there.
    """
    found = find_image(context, image_id)
    if found is None:
        raise PictureGone(f"The picture {image_id!r} has no row any more.")
    return found


def picture_reference(image: Mapping[str, Any], context: RunContext) -> str:
    """Find where the picture of a row lies, in the image store or one beside it.

    The address is one that nothing but these stores can mean, so a person's run may read it.

    Raises:
        PictureNotAllowed: Its path leads out of them.
    """
    path = image.get("storage_path")
    if not isinstance(path, str) or not path:
        raise PictureNotAllowed(f"The row of the picture {image.get('id')!r} has no storage_path.")
    reference = reference_of(path, context.store.roots)
    store, inside = context.store.place_of(reference) or (context.store, reference)
    if store.leads_out(inside):
        raise not_allowed(path)
    return store.address(inside)


def first_names(collection: str, row: Mapping[str, Any]) -> Document:
    """Name the fields of a row as the app's first version does.

    Raises:
        BadField: A field has two names, with different values.
    """
    try:
        return with_first_names(collection, row)
    except NamesDisagree as error:
        raise BadField(f"{error}.") from error


def _is_id(name: str) -> bool:
    try:
        return str(UUID(name)) == name.lower()
    except ValueError:
        return False
