"""How alike two faces are by dlib's recogniser, where it is installed: `make likeness`."""

import sys
from collections.abc import Iterator

import numpy as np
import pytest

from storycanvas.faces.measures.errors import OutputNotFinite, WeightsMissing
from storycanvas.faces.measures.likeness import DlibLikeness, likeness_meter
from storycanvas.faces.measures.measuring import face_meter
from tests.support.measured_corpus import distance_to_portrait, face_of
from tests.support.portraits import OTHER_PERSON, SAME_PERSON, portrait


@pytest.fixture
def meter() -> Iterator[DlibLikeness]:
    try:
        yield likeness_meter()
    except WeightsMissing as missing:
        pytest.skip(str(missing))


@pytest.mark.parametrize("change", ["mirrored", "half size", "grey", "JPEG 30", "blurred"])
def test_a_changed_picture_of_a_person_is_below_the_bound(meter: DlibLikeness, change: str) -> None:
    assert distance_to_portrait(SAME_PERSON[change](portrait())) < 0.45 < meter.same_below


@pytest.mark.parametrize("change", OTHER_PERSON)
def test_a_face_with_other_features_is_beyond_the_bound(meter: DlibLikeness, change: str) -> None:
    assert distance_to_portrait(OTHER_PERSON[change](portrait())) > meter.same_below


def test_of_two_near_identical_faces_the_same_one_is_the_nearer(meter: DlibLikeness) -> None:
    reference = portrait()
    pair = np.hstack(
        [SAME_PERSON["JPEG 30"](reference), OTHER_PERSON["features drawn apart"](reference)]
    )
    faces = face_meter().measure(pair).landmarked
    assert faces is not None
    left_to_right = tuple(sorted(faces, key=lambda face: face.box[0]))

    same, other = meter.distances((reference, face_of(reference)), (pair, left_to_right))

    assert same < 0.3
    assert other > same + 0.3


def test_a_picture_without_a_face_has_no_distance(meter: DlibLikeness) -> None:
    assert meter.distances((portrait(), face_of(portrait())), (portrait(), ())) == ()


def test_what_is_no_finite_number_is_an_error(
    meter: DlibLikeness, monkeypatch: pytest.MonkeyPatch
) -> None:
    nothing = np.full(128, np.nan, np.float32)
    monkeypatch.setattr(meter, "_describe", lambda *_: nothing)

    with pytest.raises(OutputNotFinite, match="no finite number"):
        distance_to_portrait(portrait())


def test_without_dlib_the_error_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "dlib", None)

    with pytest.raises(WeightsMissing, match=r"pip install .* -r requirements/likeness\.txt"):
        DlibLikeness()
