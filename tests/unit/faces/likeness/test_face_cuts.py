"""The part of a picture around a face: small, with the face where it is, sharp as it is."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from storycanvas.faces.likeness.face_cuts import LONGEST_SIDE, cut_face
from storycanvas.faces.measures.landmarks import MeshFinder
from storycanvas.faces.measures.measure import Bytes, LandmarkedFace
from tests.support.paths import ROOT

BOX = (177, 66, 96, 109)


@pytest.fixture(scope="module")
def portrait() -> Image.Image:
    return Image.open(ROOT / "samples/portrait.png").convert("RGB")


def face(box: tuple[int, int, int, int] = BOX) -> LandmarkedFace:
    x, y, width, height = box
    points = np.tile(np.array([x + width / 2, y + height / 2, 1], np.float32), (468, 1))
    return LandmarkedFace(box, points, fit=1.0, yaw=0, pitch=0, roll=0)


def rgb(picture: Image.Image) -> Bytes:
    return np.asarray(picture)


def test_a_cut_holds_the_face_and_half_its_size_around_it(portrait: Image.Image) -> None:
    cut = cut_face(rgb(portrait), face())

    x, y, width, height = cut.face.box
    assert cut.rgb.shape[:2] == (218, 192)
    assert (width, height, cut.side) == (96, 109, 96)
    same = rgb(portrait)[66 : 66 + 109, 177 : 177 + 96]
    assert np.array_equal(cut.rgb[y : y + height, x : x + width], same)
    assert cut.face.points[0] == pytest.approx([x + 48, y + 54.5, 1], abs=1)


def test_a_large_face_is_reduced_with_its_points(portrait: Image.Image) -> None:
    large = portrait.resize((4096, 4096))

    cut = cut_face(rgb(large), face((1416, 528, 768, 872)))

    x, y, width, height = cut.face.box
    assert max(cut.rgb.shape) == LONGEST_SIDE
    assert cut.side == 768
    assert cut.face.points[0, :2] == pytest.approx([x + width / 2, y + height / 2], abs=1)


def test_a_face_at_the_edge_is_cut_there(portrait: Image.Image) -> None:
    cut = cut_face(rgb(portrait), face((0, 0, 100, 100)))

    assert cut.rgb.shape[:2] == (150, 150)
    assert cut.face.box == (0, 0, 100, 100)


def test_blur_lowers_the_sharpness_and_more_pixels_do_not_raise_it(
    portrait: Image.Image,
) -> None:
    blurred = portrait.filter(ImageFilter.GaussianBlur(2))
    large = portrait.resize((2048, 2048), Image.Resampling.LANCZOS)

    sharp, soft, enlarged = (
        cut_face(rgb(picture), MeshFinder().find(rgb(picture))[0]).sharpness
        for picture in (portrait, blurred, large)
    )

    assert sharp == pytest.approx(0.27, abs=0.02)
    assert soft == pytest.approx(0.06, abs=0.02)
    assert enlarged == pytest.approx(0.17, abs=0.02)  # its 96 pixels stand for 128
