"""Putting a picture that an operation made where the app uses it: character or clip."""

from collections.abc import Callable, Mapping, Sequence
from datetime import datetime
from typing import Any

from pymongo.database import Database

from db.as_read import Change, change_as_read, mongosh_line, taking_back
from db.characters import CharacterRepository
from db.connection import Document
from db.errors import BrokenDocument
from db.schema.documents.base import Frozen
from db.schema.documents.faces import OperationRecord, Output, effect_id
from db.soft_delete.repository import SoftDeletableRepository

REFERENCES = "reference_images"
IMAGES, SELECTED = "generated_images", "selected_image_id"

SamePicture = Callable[[str], bool]
"""Whether an address in a document is that of the picture, however it is written."""


class AppliedPicture(Frozen):
    """What was done with a picture.

    Attributes:
        picture: Its address, as the ledger has it.
        done: In a sentence.
        undo: Lines for mongosh that take it back; empty where nothing was changed.
    """

    picture: str
    done: str
    undo: str = ""

    def summary(self) -> str:
        """Say what was done, and how it is undone."""
        return f"{self.done} To undo it, in mongosh: {self.undo}" if self.undo else self.done


def put_reference_image(
    database: Database[Document],
    character_id: str,
    picture: Output,
    is_same: SamePicture,
    now: datetime,
) -> AppliedPicture:
    """Put a picture first among the reference images of a character, where flows take it from.

    If it is there already it is moved, so that it is never there twice.

    Raises:
        UnknownCharacter: There is none, or it is deleted.
        BrokenCharacter: A field of it is of a wrong type.
        DocumentKeepsChanging: It was changed at each try.
    """

    def first(stored: Sequence[Any]) -> list[Any]:
        return first_once(stored, picture.url, is_same)

    change, undo = _arranged(database, character_id, first, now)
    whose = f"the reference images of character {character_id!r}"
    if not change.after:
        done = f"{picture.url} is already first among {whose}; nothing was changed."
        return AppliedPicture(picture=picture.url, done=done)
    old = change.before.get(REFERENCES) or []
    done = f"{picture.url} is now first among {whose}; they were: {', '.join(old) or 'none'}."
    return AppliedPicture(picture=picture.url, done=done, undo=undo)


def order_reference_images(
    database: Database[Document],
    character_id: str,
    order: Callable[[Sequence[Any]], list[Any]],
    now: datetime,
) -> AppliedPicture:
    """Bring the reference images of a character into an order.

    Args:
        database: The StoryCanvas database.
        character_id: Of the character.
        order: Sorts the list as it is then; it must lose nothing, for the app may have changed it.
        now: UTC.

    Raises:
        UnknownCharacter: There is none, or it is deleted.
        BrokenCharacter: A field of it is of a wrong type.
        DocumentKeepsChanging: It was changed at each try.
    """
    change, undo = _arranged(database, character_id, order, now)
    whose = f"The reference images of character {character_id!r}"
    if not change.after:
        done = f"{whose} are in this order already; nothing was changed."
        return AppliedPicture(picture="", done=done)
    first = change.after[REFERENCES][0]
    return AppliedPicture(
        picture=first, done=f"{whose} are in the new order; {first} is first.", undo=undo
    )


def _arranged(
    database: Database[Document],
    character_id: str,
    arrange: Callable[[Sequence[Any]], list[Any]],
    now: datetime,
) -> tuple[Change, str]:
    """Write the reference images of a character as `arrange` has them; return the way back, too."""
    CharacterRepository(database).find(character_id)

    def decide(character: Document) -> Document:
        stored = _list_of(character, REFERENCES, f"character {character_id!r}")
        wanted = arrange(stored)
        return {} if wanted == stored else {REFERENCES: wanted}

    change = change_as_read(database, "characters", character_id, [REFERENCES], decide, now)
    which = {"id": character_id, **change.after}
    return change, mongosh_line(database, "characters", which, taking_back(change))


def first_once(references: Sequence[str], url: str, is_same: SamePicture) -> list[str]:
    """Put an address first, and leave out others of the same picture."""
    return [url, *(reference for reference in references if not is_same(reference))]


def put_clip_picture(
    database: Database[Document],
    clip_id: str,
    entry: Document,
    is_same: SamePicture,
    now: datetime,
    *,
    select: bool,
) -> AppliedPicture:
    """Add a picture to the generated images of a clip, once, and have the clip show it.

    Args:
        database: The StoryCanvas database.
        clip_id: Of the clip.
        entry: The picture as the app keeps it, see `clip_entry`.
        is_same: Finds the picture among those of the clip.
        now: UTC.
        select: Whether the clip shows it; else it shows what it showed before.

    Raises:
        UnknownDocument: There is no such clip.
        DocumentDeleted: It is deleted.
        BrokenDocument: Its generated images are not a list.
        DocumentKeepsChanging: It was changed at each try.
    """
    SoftDeletableRepository(database, "clips").find(clip_id)

    def decide(clip: Document) -> Document:
        stored = _list_of(clip, IMAGES, f"clip {clip_id!r}")
        return with_picture(stored, clip.get(SELECTED), entry, is_same, select=select)

    change = change_as_read(database, "clips", clip_id, [IMAGES, SELECTED], decide, now)
    return AppliedPicture(
        picture=entry["url"],
        done=_done(clip_id, entry["url"], change),
        undo=_undo_in_clip(database, clip_id, change),
    )


def clip_entry(record: OperationRecord, picture: Output, now: datetime) -> Document:
    """Write a picture as the app keeps the generated images of a clip.

    The app refuses one without prompt, server and model. Its id is the same each time.
    """
    settings = record.parameters
    model = settings.get("enhancement_model") or settings.get("face_swapper_model")
    made_by = {"operation_type": record.operation_type, "operation_key": record.operation_key}
    return {
        "id": effect_id(record.operation_key, picture.path, "clip"),
        "content_type": "image",
        "url": picture.url,
        "prompt": "",
        "negative_prompt": "",
        "server_id": record.engine,
        "server_name": f"{record.engine} {record.engine_version}",
        "model_name": model or record.operation_type,
        "model_type": None,
        "generation_params": {**settings, **made_by},
        "is_selected": False,
        "created_at": now,
    }


def with_picture(
    images: Sequence[Any],
    selected: object,
    entry: Document,
    is_same: SamePicture,
    *,
    select: bool,
) -> Document:
    """Decide what is to be set of a clip; nothing where it has and shows the picture.

    An object of the same picture stays as it is, but for a missing id; a mere address, which the
    app does not read, becomes the entry.
    """
    places = [n for n, image in enumerate(images) if is_same(_address(image))]
    changed = [*images]
    if not places:
        changed.append(entry)
    elif not _id(images[places[0]]):
        old = images[places[0]]
        kept = old if isinstance(old, Mapping) else {}
        changed[places[0]] = {**entry, **kept, "id": entry["id"]}
    chosen = _id(changed[places[0] if places else -1])
    if select:
        changed = [_marked(image, chosen) for image in changed]
    wanted = {IMAGES: changed, SELECTED: chosen if select else selected}
    current = {IMAGES: [*images], SELECTED: selected}
    return {field: value for field, value in wanted.items() if value != current[field]}


def _marked(image: object, chosen: str) -> object:
    """Mark an image as the selected one, or not, as the app does when a person selects one."""
    is_chosen = bool(chosen) and _id(image) == chosen
    if not isinstance(image, Mapping) or bool(image.get("is_selected")) == is_chosen:
        return image
    return {**image, "is_selected": is_chosen}


def _address(image: object) -> str:
    address = image.get("url") if isinstance(image, Mapping) else image
    return address if isinstance(address, str) else ""


def _id(image: object) -> str:
    found = image.get("id") if isinstance(image, Mapping) else None
    return found if isinstance(found, str) else ""


def _list_of(document: Document, field: str, what: str) -> list[Any]:
    stored = document.get(field)
    if stored is None:
        return []
    if not isinstance(stored, list):
        raise BrokenDocument(
            f"The field {field} of {what} is no list but of type {type(stored).__name__}, so "
            "nothing was changed; correct it in the app or in mongosh first."
        )
    return stored


def _done(clip_id: str, url: str, change: Change) -> str:
    if not change.after:
        return f"Clip {clip_id!r} has {url} already; nothing was changed."
    there = f"Clip {clip_id!r} has {url} among its generated images"
    if SELECTED not in change.after:
        return f"{there}."
    return f"{there} and shows it; it showed {change.before.get(SELECTED) or 'none'} before."


def _undo_in_clip(database: Database[Document], clip_id: str, change: Change) -> str:
    """Put back each image that was changed and take out the added one, whatever was added since."""
    lines: list[str] = []
    if SELECTED in change.after:
        which = {"id": clip_id, SELECTED: change.after[SELECTED]}
        back = taking_back(Change(change.before, {SELECTED: None}))
        lines.append(mongosh_line(database, "clips", which, back))
    before = change.before.get(IMAGES) or []
    after = change.after.get(IMAGES) or []
    for place, image in enumerate(after):
        if place >= len(before):
            taken = {"$pull": {IMAGES: {"id": image["id"]}}}
            lines.append(mongosh_line(database, "clips", {"id": clip_id}, taken))
        elif image != before[place]:
            put = {"$set": {f"{IMAGES}.$[changed]": before[place]}}
            only = {"arrayFilters": [{"changed.id": _id(image)}]}
            lines.append(mongosh_line(database, "clips", {"id": clip_id}, put, only))
    return "; ".join(lines)
