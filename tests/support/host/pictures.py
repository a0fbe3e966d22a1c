"""Small pictures, and what a host keeps of them on its disk."""

import hashlib
import io
from pathlib import Path

from PIL import Image

from storycanvas.host.storage.assets import AssetStore


def encoded(kind: str = "PNG", size: tuple[int, int] = (8, 8), colour: str = "red") -> bytes:
    buffer = io.BytesIO()
    Image.new("RGB", size, colour).save(buffer, kind)
    return buffer.getvalue()


def bomb() -> bytes:
    """64 million pixels in a few kilobytes."""
    buffer = io.BytesIO()
    Image.new("1", (8000, 8000)).save(buffer, "PNG")
    return buffer.getvalue()


def numbered(number: int) -> bytes:
    """A picture of its own for each number below 65,536, all of the same size in bytes."""
    buffer = io.BytesIO()
    Image.new("RGB", (1, 1), (number % 256, number // 256, 9)).save(buffer, "BMP")
    picture = io.BytesIO()
    Image.open(buffer).resize((16, 16)).save(picture, "PNG", compress_level=0)
    return picture.getvalue()


SIZE = len(numbered(0))


def name(number: int) -> str:
    return f"{hashlib.sha256(numbered(number)).hexdigest()}.png"


def stored(store: AssetStore, number: int) -> str:
    """Upload a picture to a store."""
    with store.incoming() as incoming:
        incoming.write(numbered(number))
        return store.keep(incoming)


def kept(folder: Path, numbers: range) -> list[int]:
    """Which of the numbered pictures are there."""
    return [number for number in numbers if (folder / name(number)).exists()]


def picture_bytes(folder: Path) -> int:
    """Bytes of all pictures of a folder; one that goes meanwhile is not counted."""
    total = 0
    for path in folder.glob("*.png"):
        try:
            total += path.stat().st_size
        except FileNotFoundError:
            continue
    return total
