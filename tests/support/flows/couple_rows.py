"""Rows of the couple swap as either version of the app writes them, with their files."""

from datetime import UTC, datetime
from typing import Any

from PIL import Image

from tests.support.flows.couples import BESIDE, husband, template, wife
from tests.support.flows.world import World

ASKED = datetime(2026, 4, 1, tzinfo=UTC)
"""When tasks are made; the later version found the faces of its templates a month before."""


class Rows:
    """Rows of the app in either version, with their files in the store."""

    def __init__(self, world: World) -> None:
        self.world = world

    def image(self, name: str, picture: Image.Image, **fields: Any) -> str:
        path = f"photos/{name}.png"
        assert self.world.store.folder
        file = self.world.store.folder / path
        file.parent.mkdir(parents=True, exist_ok=True)
        picture.save(file)
        return self.insert("images", id=name, filename=file.name, storage_path=path, **fields)

    def insert(self, collection: str, **fields: Any) -> str:
        self.world.database[collection].insert_one(fields)
        return str(fields["id"])

    def faces(self) -> list[dict[str, Any]]:
        """The faces of two that stand beside each other, the right one first."""
        right, left = ([420, 100, 520, 205], "male"), ([95, 80, 200, 185], "female")
        return [{"bbox": box, "gender": gender} for box, gender in (right, left)]

    def template(self, version: str, **fields: Any) -> str:
        image = self.image("scene", template(BESIDE), image_type="template")
        if version == "first":
            found = {"image_id": image, "title": "t", "face_positions": self.faces()}
            return self.insert("templates", id="t-1", **{**found, **fields})
        self.insert(
            "template_preprocessing",
            id="p-1",
            template_id="t-1",
            preprocessing_status="completed",
            face_data=self.faces(),
            processed_at=datetime(2026, 3, 1, tzinfo=UTC),
        )
        return self.insert(
            "templates", id="t-1", **{"original_image_id": image, "name": "t", **fields}
        )

    def task(self, version: str = "later", name: str = "task-1", **fields: Any) -> str:
        """Insert a waiting task of a template that is there, as the app does."""
        self.couple()
        photos = "photo" if version == "later" else "image"
        usual = {
            f"husband_{photos}_id": "him",
            f"wife_{photos}_id": "her",
            "template_id": "t-1",
            "user_id": "user-1",
            "status": "pending",
            "created_at": ASKED,
        }
        return self.insert("faceswap_tasks", id=name, **{**usual, **fields})

    def couple(self) -> None:
        """Insert the photos of a couple, unless they are there."""
        if self.world.database["images"].find_one({"id": "him"}) is None:
            self.image("him", husband(), image_type="photo")
            self.image("her", wife(), image_type="photo")

    def row(self, collection: str, name: str = "task-1") -> dict[str, Any]:
        """Read a row."""
        found = self.world.database[collection].find_one({"id": name})
        assert found is not None
        return found
