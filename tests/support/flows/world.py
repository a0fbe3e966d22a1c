"""What a flow finds around it in tests."""

import io
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from PIL import Image
from pymongo.database import Database

from deployments.sample import PORTRAIT
from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.pictures.image_store import Category, ImageStore

CHARACTER = "character-1"
GROUP_SIDE = 300
"""Pixels of each third of the picture of a group."""


@dataclass
class World:
    """What a flow finds around it.

    Attributes:
        database: Empty but for one character.
        store: The image store.
        host: The face host.
        folder: A place for pictures.
    """

    database: Database[dict[str, Any]]
    store: ImageStore
    host: FaceHostClient
    folder: Path

    def character(self) -> dict[str, Any]:
        found = self.database["characters"].find_one({"id": CHARACTER})
        assert found is not None
        return found

    def everything(self) -> dict[str, list[dict[str, Any]]]:
        names = self.database.list_collection_names()
        return {name: list(self.database[name].find().sort("_id")) for name in sorted(names)}

    def show_in(self, pictures: Iterable[Image.Image]) -> None:
        """Give the character these reference images."""
        paths = []
        for picture in pictures:
            file = io.BytesIO()
            picture.save(file, "PNG")
            stored = self.store.put(file.getvalue(), Category.RESULT, "png", datetime.now(UTC))
            paths.append(stored.path)
        self.database["characters"].update_one({}, {"$set": {"reference_images": paths}})

    def picture(self, name: str, image: Image.Image) -> str:
        path = self.folder / name
        image.save(path)
        return str(path)


def unique_portrait(folder: Path) -> str:
    """A portrait that the host has never seen: the sample with one pixel of its own."""
    with Image.open(PORTRAIT) as image:
        own = image.convert("RGB")
    seed = abs(hash(str(folder)))
    own.putpixel((0, 0), (seed % 256, seed // 256 % 256, seed // 65536 % 256))
    path = folder / "portrait.png"
    own.save(path)
    return str(path)


def plain_picture() -> Image.Image:
    """A picture without a face."""
    return Image.linear_gradient("L").convert("RGB")


def group_picture() -> Image.Image:
    """Three faces beside each other; the one in the middle is darker than the others."""
    with Image.open(PORTRAIT) as image:
        face = image.convert("RGB").resize((GROUP_SIDE, GROUP_SIDE))
    picture = Image.new("RGB", (3 * GROUP_SIDE, GROUP_SIDE))
    for place, shade in enumerate((1.0, 0.6, 0.9)):
        shaded = face.point(lambda value, by=shade: int(value * by))
        picture.paste(shaded, (place * GROUP_SIDE, 0))
    return picture


def shades(count: int) -> list[Image.Image]:
    """The portrait, each time a little darker."""
    with Image.open(PORTRAIT) as image:
        portrait = image.convert("RGB")
    return [portrait.point(lambda v, by=1 - n / 50: int(v * by)) for n in range(count)]
