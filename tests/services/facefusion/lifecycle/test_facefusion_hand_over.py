"""Files without compression between host and FaceFusion change no pixel of any output."""

import io
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO, ClassVar

import pytest
from PIL import Image

from storycanvas.faces.operations import (
    AgeAdjustOperation,
    DetectOperation,
    EditOperation,
    EnhanceOperation,
    FaceOperation,
    MaskOperation,
    SwapOperation,
)
from storycanvas.faces.pictures.reading import Picture, normal_form
from storycanvas.host.engines.facefusion.engine import FaceFusionEngine, build_engine
from storycanvas.host.engines.facefusion.pixels import fit
from storycanvas.host.engines.facefusion.process.workspace import Workspace
from storycanvas.host.settings import HostSettings
from tests.support.facefusion.checkouts import Checkout
from tests.support.facefusion.driven_host import environment_of
from tests.support.paths import PORTRAIT

ENGINE = "storycanvas.host.engines.facefusion"
OPERATIONS: list[FaceOperation] = [
    EnhanceOperation(face_enhancer_blend=0.8),
    AgeAdjustOperation(target_age=60),
    SwapOperation(),
    EditOperation(face_editor_mouth_smile=40),
    MaskOperation(),
    DetectOperation(),
]


class PngWorkspace(Workspace):
    """Hands pictures over as PNG, as the host did before."""

    placed: ClassVar[list[Path]] = []

    def picture(self) -> Path:
        self.placed.append(self._new("picture.png"))
        return self.placed[-1]

    def output(self) -> Path:
        return self._new("output.png")


def fit_as_png(picture: Picture, file: BinaryIO) -> None:
    whole = io.BytesIO()
    fit(picture, whole)
    with Image.open(whole) as image:
        image.save(file, "PNG")


@pytest.fixture(scope="module")
def engine(
    checkout: Checkout, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[FaceFusionEngine]:
    folder = tmp_path_factory.mktemp("hand-over")
    settings = HostSettings(engine="facefusion", data_dir=folder)
    opened = build_engine(settings, environment_of(checkout, folder))
    yield opened
    opened.close()


def portrait(mode: str, size: tuple[int, int]) -> Picture:
    with Image.open(PORTRAIT) as image:
        small = image.convert("RGB").resize(size)
    if mode == "RGBA":
        small.putalpha(Image.linear_gradient("L").resize(size))
    return normal_form(small)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("operation", OPERATIONS, ids=lambda operation: operation.path)
def test_outputs_are_those_of_png_files_pixel_for_pixel(
    engine: FaceFusionEngine,
    operation: FaceOperation,
    mode: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    source = portrait(mode, (321, 319))
    target = portrait(mode, (513, 511))
    pictures = [source, target] if isinstance(operation, SwapOperation) else [target]

    by_bmp = engine.run(operation, pictures)
    monkeypatch.setattr(f"{ENGINE}.process.workspace.Workspace", PngWorkspace)
    monkeypatch.setattr(f"{ENGINE}.attempt.fit", fit_as_png)
    by_png = engine.run(operation, pictures)

    assert PngWorkspace.placed.pop().suffix == ".png"
    assert by_bmp.picture == by_png.picture
    assert by_bmp.picture is None or by_bmp.picture != target
    assert by_bmp.faces == by_png.faces
    assert (by_bmp.picture is not None) == operation.makes_picture
