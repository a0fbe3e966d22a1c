"""A file may be as large as its pixels are; what is larger than that carries something else."""

import io
import os
from pathlib import Path

import pytest
from PIL import Image

from storycanvas.faces.errors import PictureTooLarge
from storycanvas.faces.pictures import reading
from storycanvas.faces.pictures.reading import (
    MAX_FILE_BYTES,
    MAX_PIXELS,
    GrowingFile,
    allowed_bytes,
    read_picture,
)
from storycanvas.host.storage.incoming_pictures import IncomingPicture


@pytest.fixture(autouse=True)
def _small_bound(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(reading, "MAX_BYTES", 200_000)
    monkeypatch.setattr(reading, "_BYTES_BESIDE", 1000)


def noisy_png(side: int) -> bytes:
    image = Image.frombytes("RGB", (side, side), os.urandom(side * side * 3))
    buffer = io.BytesIO()
    image.save(buffer, format="PNG")
    return buffer.getvalue()


def receive(folder: Path, data: bytes) -> str:
    with (folder / "part").open("w+b") as file:
        incoming = IncomingPicture(file)
        for start in range(0, len(data), 65536):
            incoming.write(data[start : start + 65536])
        file.flush()
        assert (folder / "part").read_bytes() == data
        return incoming.name()


def test_an_output_larger_than_most_pictures_is_read_and_received(tmp_path: Path) -> None:
    png = noisy_png(300)
    assert len(png) > reading.MAX_BYTES
    picture = read_picture(png, "it")
    assert (picture.width, picture.height) == (300, 300)
    assert receive(tmp_path, picture.png).endswith(".png")


@pytest.mark.parametrize("data", [noisy_png(9) + bytes(200_000), bytes(200_001)])
def test_a_file_out_of_proportion_is_refused_by_its_header(tmp_path: Path, data: bytes) -> None:
    with pytest.raises(PictureTooLarge):
        read_picture(data, "it")
    with pytest.raises(PictureTooLarge):
        receive(tmp_path, data)


def test_a_file_that_goes_on_after_its_picture_is_refused_when_it_exceeds_the_bound() -> None:
    png, buffer = noisy_png(300), io.BytesIO()
    growing = GrowingFile(buffer, "it")
    growing.write(png)
    growing.write(bytes(451_000 - len(png)))
    with pytest.raises(PictureTooLarge, match="at most 451,000"):
        growing.write(b"x")


def test_the_largest_picture_fits_without_compression() -> None:
    side = 7071
    assert side * side <= MAX_PIXELS
    assert side * side * 4 + side < allowed_bytes(side * side) <= MAX_FILE_BYTES
