"""The face that is most like a person is chosen only where that is clear."""

import pytest

from storycanvas.faces.contract import DetectedFace
from storycanvas.faces.errors import FacesTooAlike, MeasuringFailed, NoFace, NoFaceAlike
from storycanvas.faces.likeness.choosing import matched_distances, most_alike
from storycanvas.faces.measures.measure import LikenessScale
from tasks.likeness.face_of import without_recogniser


def face(x: int, width: int = 10) -> DetectedFace:
    return DetectedFace(x=x, y=0, width=width, height=10)


def chosen(
    *distances: float | None, scale: LikenessScale = "facefusion", same_below: float | None = None
) -> int:
    faces = [face(20 * place) for place, _ in enumerate(distances)]
    return most_alike("base", faces, distances, scale, same_below).box[0] // 20


@pytest.mark.parametrize(
    ("distances", "place"),
    [
        ((0.29,), 0),
        ((0.5, 0.1), 1),
        ((0.1, 0.151), 0),
        ((0.4, None, 0.2), 2),
        ((0.29, 0.9), 0),
    ],
)
def test_the_nearest_face_is_chosen(distances: tuple[float | None, ...], place: int) -> None:
    assert chosen(*distances) == place


@pytest.mark.parametrize(
    ("distances", "scale"),
    [((0.1, 0.149), "facefusion"), ((0.25, 0.1, 0.14), "facefusion"), ((0.3, 0.39), "dlib")],
)
def test_a_lead_that_may_be_chance_is_refused(
    distances: tuple[float, ...], scale: LikenessScale
) -> None:
    with pytest.raises(FacesTooAlike, match="and they must differ by 0"):
        chosen(*distances, scale=scale)


@pytest.mark.parametrize(
    ("distances", "scale", "same_below"),
    [((0.3,), "facefusion", None), ((0.6, 0.9), "dlib", None), ((0.2,), "facefusion", 0.2)],
)
def test_a_face_beyond_the_bound_is_not_the_person(
    distances: tuple[float, ...], scale: LikenessScale, same_below: float | None
) -> None:
    with pytest.raises(NoFaceAlike, match=f"has the distance {min(distances):.2f}, which must be"):
        chosen(*distances, scale=scale, same_below=same_below)


@pytest.mark.parametrize("distances", [(), (None, None)])
def test_without_a_measured_face_none_is_chosen(distances: tuple[None, ...]) -> None:
    with pytest.raises(NoFace, match="No face of the picture 'base' could be compared"):
        chosen(*distances)


def test_a_found_face_has_the_distance_of_the_measured_one_that_it_overlaps_most() -> None:
    measured = [((0, 0, 9, 9), 0.1), ((4, 0, 10, 10), 0.2), ((60, 0, 10, 10), 0.3)]

    assert matched_distances([face(0), face(3), face(30)], measured) == [0.1, 0.2, None]
    assert matched_distances([face(0)], []) == [None]


def test_without_any_recogniser_one_sentence_says_what_to_install() -> None:
    error = without_recogniser(MeasuringFailed("dlib-bin is not installed: pip install it."))

    assert str(error) == (
        "face_of cannot choose a face, since the host's program is too old to tell distances and "
        "the run has no recogniser: dlib-bin is not installed: pip install it; or update the host."
    )
