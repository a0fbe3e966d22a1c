"""The measures of the sample portrait and of pictures made of it, as they were frozen."""

from collections.abc import Callable

import numpy as np
import pytest
from PIL import Image

from storycanvas.faces.measures.ages import age_of
from storycanvas.faces.measures.errors import WeightsMissing
from storycanvas.faces.measures.measure import Floats, LandmarkedFace
from storycanvas.faces.measures.measuring import face_meter
from storycanvas.faces.measures.networks import Network
from storycanvas.faces.measures.weights import AGE, FACE_DETECTOR, FACE_MESH
from tests.support.measured_corpus import (
    POINTS,
    compared,
    distance_to_portrait,
    pictures,
    read_corpus,
)
from tests.support.paths import PORTRAIT

CORPUS = read_corpus()
BOUNDS = CORPUS["tolerances"]
RUNTIMES = CORPUS["runtimes"]
AGE_MEANS = np.array([122.781998, 117.000999, 104.297997], np.float32)


@pytest.mark.parametrize("name", CORPUS["faces"])
def test_a_picture_is_measured_as_it_was_frozen(name: str) -> None:
    expected = CORPUS["faces"][name]

    measured = face_meter().measure(pictures()[name])

    assert measured.landmarked is not None
    assert measured.measures is not None
    (landmarked,), (face,) = measured.landmarked, measured.measures
    side = max(expected["box"][2:])
    assert face.box == pytest.approx(expected["box"], abs=BOUNDS["box_share"] * side + 1)
    for angle in ("yaw", "pitch", "roll"):
        assert getattr(face, angle) == pytest.approx(expected[angle], abs=BOUNDS["degrees"])
    assert face.age == pytest.approx(expected["age"], abs=BOUNDS["years"])
    off = np.abs(points_of(landmarked) - np.array(expected["points"])).max()
    assert off < BOUNDS["points_share"] * side


def points_of(face: LandmarkedFace) -> Floats:
    return face.points[list(POINTS)]


@pytest.mark.parametrize("name", CORPUS["likeness"])
def test_a_face_is_as_far_from_the_portrait_as_it_was_frozen(name: str) -> None:
    try:
        found = distance_to_portrait(compared()[name])
    except WeightsMissing as missing:
        pytest.skip(str(missing))

    assert found == pytest.approx(CORPUS["likeness"][name], abs=BOUNDS["distance"])


def test_the_corpus_has_every_picture() -> None:
    assert list(CORPUS["faces"]) == list(pictures())
    assert list(CORPUS["likeness"]) == list(compared())


def cut(network: str, scale: Callable[[Floats], Floats]) -> Floats:
    known = RUNTIMES[network]
    with Image.open(PORTRAIT) as picture:
        part = picture.convert("RGB").crop(tuple(known["crop"]))
        small = part.resize((known["side"],) * 2, Image.Resampling.BILINEAR)
    return scale(np.asarray(small, np.float32))


def outputs(network: Network, picture: Floats) -> list[Floats]:
    return sorted((out.reshape(-1) for out in network.run(picture)), key=lambda out: out.size)


def approximately(value: object, bound: str) -> object:
    return pytest.approx(value, abs=RUNTIMES["tolerances"][bound])


def test_the_detector_answers_as_in_its_own_runtime() -> None:
    known = RUNTIMES["detector"]

    scores, places = outputs(
        Network(FACE_DETECTOR), cut("detector", lambda picture: picture / np.float32(127.5) - 1)
    )

    assert int(scores.argmax()) == known["best"]
    assert float(scores.max()) == approximately(known["score"], "logit")
    assert places.reshape(-1, 16)[known["best"]].tolist() == approximately(known["place"], "pixels")


def test_the_mesh_answers_as_in_its_own_runtime() -> None:
    known = RUNTIMES["mesh"]

    flag, points = outputs(
        Network(FACE_MESH), cut("mesh", lambda picture: picture / np.float32(255))
    )

    assert float(flag[0]) == approximately(known["flag"], "logit")
    for index, place in known["points"].items():
        assert points.reshape(-1, 3)[int(index)].tolist() == approximately(place, "pixels")


def test_the_age_network_answers_as_in_its_own_runtime() -> None:
    known = RUNTIMES["age"]

    (probabilities,) = outputs(
        Network(AGE), cut("age", lambda picture: (picture - AGE_MEANS) / np.float32(256))
    )

    assert int(probabilities.argmax()) == known["largest"][0]
    assert age_of(probabilities) == approximately(known["years"], "years")
