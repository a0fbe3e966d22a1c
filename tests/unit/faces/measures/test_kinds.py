"""What is noted of pictures before they are enhanced."""

from dataclasses import replace

import cv2
import numpy as np
import pytest
from PIL import Image, ImageDraw

from storycanvas.faces.likeness.face_cuts import cut_face
from storycanvas.faces.measures.landmarks import MeshFinder
from storycanvas.faces.measures.measure import Bytes, Findings, LandmarkedFace
from storycanvas.faces.measures.notes.kinds import DRAWN, drawn_findings, sharp_findings
from tests.support.portraits import blurred, compressed, drawing, portrait

TIMES = 6
"""How many times the portrait is enlarged, so that its face has more than 512 pixels."""


def face_in(rgb: Bytes) -> LandmarkedFace:
    return MeshFinder().find(rgb)[0]


def enlarged() -> tuple[Bytes, LandmarkedFace]:
    """Enlarge the head of the portrait, which blurs it."""
    head = portrait()[30:220, 130:320]
    large = cv2.resize(head, None, fx=TIMES, fy=TIMES, interpolation=cv2.INTER_CUBIC)
    return np.asarray(large, np.uint8), face_in(np.asarray(large, np.uint8))


def detailed() -> tuple[Bytes, LandmarkedFace]:
    """Give the enlarged head as fine details as the portrait has, by its own."""
    large, face = enlarged()
    small = portrait()[30:220, 130:320].astype(np.float32)
    fine = small - cv2.GaussianBlur(small, (0, 0), 4)
    tiles = np.tile(fine, (TIMES, TIMES, 1))
    return np.clip(large + tiles, 0, 255).astype(np.uint8), face


def side(face: LandmarkedFace) -> int:
    return min(face.box[2:])


def sharpness_noted(rgb: Bytes, face: LandmarkedFace) -> Findings:
    return sharp_findings(cut_face(rgb, face).fine_sharpness, side(face))


def test_a_large_sharp_face_is_noted_with_its_numbers() -> None:
    (note,) = sharpness_noted(*detailed()).notes

    assert note.startswith("This face is sharp already; enhancing may soften it: it has 5")
    assert "0.21 and more" in note


def test_a_large_blurred_face_has_no_note() -> None:
    rgb, face = enlarged()

    assert side(face) > 512
    assert sharpness_noted(rgb, face) == Findings()


def test_a_small_sharp_face_has_no_note() -> None:
    assert sharpness_noted(portrait(), face_in(portrait())) == Findings()


def test_the_sharpness_of_a_face_that_was_reduced_to_be_measured_is_not_measured() -> None:
    cut = cut_face(portrait(), face_in(portrait()))

    assert sharp_findings(cut.fine_sharpness, 600) == Findings(
        not_measured=(
            "The sharpness of the face was not measured: it has too few pixels or details.",
        )
    )


def painting() -> Bytes:
    """Paint a face in even colours, to which landmarks fit."""
    picture = Image.new("RGB", (600, 600), (150, 180, 220))
    pen = ImageDraw.Draw(picture)
    pen.ellipse((150, 60, 450, 390), fill=(60, 40, 20))
    pen.ellipse((180, 108, 420, 480), fill=(240, 200, 170), outline=(90, 50, 30), width=4)
    for x in (246, 354):
        pen.ellipse((x - 33, 252, x + 33, 288), fill="white", outline=(40, 20, 20), width=4)
        pen.ellipse((x - 16, 254, x + 16, 286), fill=(50, 30, 20))
        pen.arc((x - 42, 216, x + 42, 264), 200, 340, fill=(60, 40, 20), width=9)
    pen.line([(294, 288), (282, 348), (312, 354)], fill=(150, 100, 80), width=6)
    pen.chord((252, 372, 348, 426), 0, 180, fill=(170, 60, 60), outline=(80, 20, 20))
    return np.asarray(picture)


@pytest.mark.parametrize(
    "drawn",
    [drawing(), painting(), compressed(painting(), 90), compressed(painting(), 50)],
    ids=["lines", "even colours", "JPEG 90", "JPEG 50"],
)
def test_a_drawing_is_noted_although_landmarks_fit_it(drawn: Bytes) -> None:
    assert face_in(drawn).fit > 0.9
    assert drawn_findings(drawn, face_in(drawn)) == Findings(notes=(DRAWN,))


@pytest.mark.parametrize(
    "photograph",
    [portrait(), blurred(portrait(), 4), compressed(portrait(), 10)],
    ids=["sharp", "blurred", "JPEG 10"],
)
def test_a_photograph_is_not_drawn_however_bad_it_is(photograph: Bytes) -> None:
    assert drawn_findings(photograph, face_in(portrait())) == Findings()


def test_a_face_beyond_the_picture_is_neither_sharp_nor_drawn() -> None:
    face = face_in(portrait())
    away = replace(face, points=face.points + np.array([2000, 0, 0], np.float32))

    assert drawn_findings(portrait(), away) == Findings()
