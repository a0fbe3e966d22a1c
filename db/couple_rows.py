"""Rows that a couple swap is made from: read under whichever names they have, and added once.

What is added has an id that follows from its pixels, and so has its `_id`, whose index every
collection has: any number of runs at once add it once. A row that is there is never changed.
"""

from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from db.connection import Document, reading_anything, translated_errors
from db.errors import UnknownDocument
from db.schema.indexes import NOT_DELETED

_IDS = uuid5(NAMESPACE_URL, "storycanvas:couple-pictures")
ImageType = Literal["source", "template"]


def image_id(image_type: ImageType, user_id: str | None, sha256: str) -> str:
    """Make the id of a picture's row: the same pixels of the same user have the same."""
    return str(uuid5(_IDS, f"{image_type}\n{user_id or ''}\n{sha256}"))


def template_id(of_image: str) -> str:
    """Make the id of the template of a picture's row."""
    return str(uuid5(_IDS, f"template of {of_image}"))


class CoupleRows:
    """Reads templates, pictures and tasks of the couple swap; deleted ones are not there."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database

    def template(self, template_id: str, *, deleted: bool = False) -> Document | None:
        """Read a template, with `deleted` also one that is deleted; None where there is none."""
        if not deleted:
            return self._find("templates", id=template_id)
        with translated_errors():
            return self._database["templates"].find_one({"id": template_id})

    def preprocessing(self, template_id: str) -> Document | None:
        """Read what the app found in a template; None where it has not looked."""
        return self._find("template_preprocessing", template_id=template_id)

    def image(self, image_id: str) -> Document | None:
        """Read the row of a picture; None where there is none."""
        return self._find("images", id=image_id)

    def task(self, name: str) -> Document:
        """Read a task by its id, or by the app's own name of it.

        Raises:
            UnknownDocument: There is none.
        """
        found = self._find("faceswap_tasks", id=name) or self._find("faceswap_tasks", task_id=name)
        if found is None:
            raise UnknownDocument(f"There is no couple swap task {name!r}; look for its id.")
        return found

    def _find(self, collection: str, **fields: str) -> Document | None:
        with translated_errors():
            return self._database[collection].find_one({**fields, **NOT_DELETED})


@dataclass(frozen=True)
class NewImage:
    """A row of `images` that is to be.

    Attributes:
        image_type: What the picture is.
        sha256: Hash of its pixels, which with type and user makes it the same picture.
        user_id: Whose it is; None for a template.
        file_size: Bytes of the stored file.
        faces: How many were found.
    """

    image_type: ImageType
    sha256: str
    user_id: str | None
    filename: str
    storage_path: str
    file_size: int
    width: int
    height: int
    faces: int
    category: str | None = None
    tags: tuple[str, ...] = ()

    @property
    def id(self) -> str:
        """Its id, which is that of the same pixels of the same user."""
        return image_id(self.image_type, self.user_id, self.sha256)

    def document(self, now: datetime) -> Document:
        """Write the row."""
        return {
            "_id": self.id,
            "id": self.id,
            "user_id": self.user_id,
            "filename": self.filename,
            "storage_path": self.storage_path,
            "file_size": self.file_size,
            "width": self.width,
            "height": self.height,
            "image_type": self.image_type,
            "storage_type": "permanent",
            "category": self.category,
            "tags": [*self.tags],
            "uploaded_at": now,
            "metadata": {"sha256": self.sha256, "faces": self.faces},
        }


@dataclass(frozen=True)
class NewTemplate:
    """A row of `templates` that is to be.

    Attributes:
        image: Its picture.
        face_positions: Boxes of the faces, as `templates` holds them.
        is_active: Whether the app offers it.
    """

    image: NewImage
    title: str
    artist: str | None
    source_url: str | None
    face_positions: tuple[dict[str, Any], ...]
    is_active: bool

    @property
    def id(self) -> str:
        """Its id, which is that of the same pixels."""
        return template_id(self.image.id)

    def document(self, now: datetime) -> Document:
        """Write the row."""
        return {
            "_id": self.id,
            "id": self.id,
            "image_id": self.image.id,
            "title": self.title,
            "artist": self.artist,
            "source_url": self.source_url,
            "category": self.image.category,
            "face_count": len(self.face_positions),
            "face_positions": [*self.face_positions],
            "popularity_score": 0,
            "is_active": self.is_active,
            "created_at": now,
        }


class CouplePictures:
    """Adds pictures and templates."""

    def __init__(self, database: Database[Document]) -> None:
        self._database = database

    def has_user(self, user_id: str) -> bool:
        """Check for a user that is not deleted."""
        users = reading_anything(self._database)["users"]
        with translated_errors():
            return users.find_one({"id": user_id, "deleted_at": None}, {"_id": True}) is not None

    def has(self, collection: Literal["images", "templates"], document_id: str) -> bool:
        """Check for a row that was added, also one that is deleted: it is not added again."""
        with translated_errors():
            rows = self._database[collection]
            return rows.find_one({"_id": document_id}, {"_id": True}) is not None

    def add_image(self, image: NewImage, now: datetime) -> bool:
        """Add a picture; False where it was there."""
        return self._add("images", image.document(now))

    def add_template(self, template: NewTemplate, now: datetime) -> bool:
        """Add a template, its picture first, so that none ever names a picture that is not there.

        Returns:
            Whether the template is new; its picture may be left of a run that was killed.
        """
        self.add_image(template.image, now)
        return self._add("templates", template.document(now))

    def _add(self, collection: str, document: Document) -> bool:
        with translated_errors():
            try:
                self._database[collection].insert_one(document)
            except DuplicateKeyError:
                return False
        return True
