"""A character's bounds come from its own reference images, found once in a run."""

from collections.abc import Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from itertools import combinations
from threading import Event

import numpy as np
import pytest

from db.errors import UnknownCharacter
from storycanvas.faces.errors import HostUnreachable, OperationCancelled, PictureNotFound
from storycanvas.faces.likeness.face_cuts import FaceCut
from storycanvas.faces.measures.baseline import (
    Distances,
    character_baseline,
    median_distances,
    nearest_distances,
)
from storycanvas.faces.measures.measure import (
    SAME_BELOW,
    Bytes,
    LandmarkedFace,
    LikenessScale,
)
from storycanvas.faces.results.checks import Bounds, HeldBound
from storycanvas.faces.results.meters import Meters
from storycanvas.faces.results.seen_faces import SeenFace, SeenFaces
from tasks.faces.measuring.baselines import (
    MAX_REFERENCES,
    TOO_FEW,
    TOO_UNLIKE,
    Baselines,
    CharacterBound,
    compared_by,
)
from tasks.faces.measuring.steps import MeasureRules, bounds_of
from tasks.retries import RunStopped


def apart(distance: float, names: str) -> dict[tuple[str, str], float]:
    return dict.fromkeys(combinations(names, 2), distance)


@pytest.mark.parametrize("distances", [{}, apart(0.3, "ab"), apart(0.8, "abcd")])
def test_fewer_than_three_pictures_that_are_alike_make_no_baseline(
    distances: dict[tuple[str, str], float],
) -> None:
    assert character_baseline(distances, "dlib") is None


@pytest.mark.parametrize(
    ("scale", "distance", "bound"),
    [
        ("dlib", 0.05, 0.45),
        ("dlib", 0.50, 0.55),
        ("dlib", 0.59, 0.649),
        ("facefusion", 0.02, 0.225),
        ("facefusion", 0.25, 0.275),
    ],
)
def test_the_bound_is_a_little_wider_than_the_references_but_never_far_from_the_usual_one(
    scale: LikenessScale, distance: float, bound: float
) -> None:
    found = character_baseline(apart(distance, "abc"), scale)

    assert found is not None
    assert (found.scale, found.typical) == (scale, distance)
    assert found.same_below == pytest.approx(bound)


def test_a_wide_group_of_pictures_ends_at_the_widest_bound() -> None:
    wide = apart(0.5, "abc") | {("c", "d"): 0.5, ("a", "d"): 0.9, ("b", "d"): 0.9}

    found = character_baseline(wide, "dlib")

    assert found is not None
    assert found.same_below == pytest.approx(0.66)


def test_pictures_of_another_person_are_left_out_and_widen_nothing() -> None:
    alike = character_baseline(apart(0.4, "abc"), "dlib")
    strangers = dict.fromkeys([(a, b) for a in "abc" for b in "xy"], 0.8) | {("x", "y"): 0.1}

    mixed = character_baseline(apart(0.4, "abc") | strangers, "dlib")

    assert alike is not None
    assert mixed is not None
    assert mixed.left_out == ("x", "y")
    assert mixed.references == alike.references == ("a", "b", "c")
    assert mixed.same_below == alike.same_below


def test_one_large_distance_among_many_sets_no_bound() -> None:
    many = apart(0.41, "abcdefgh") | {("a", "h"): 0.7}

    found = character_baseline(many, "dlib")

    assert found is not None
    assert found.same_below == pytest.approx(0.451)


def test_a_pair_that_was_not_measured_may_be_missing() -> None:
    found = character_baseline({("a", "b"): 0.4, ("b", "c"): 0.42}, "dlib")

    assert found is not None
    assert found.references == ("a", "b", "c")


def test_the_nearest_and_the_median_distance_are_of_each_picture_to_the_others() -> None:
    distances = {("a", "b"): 0.2, ("a", "c"): 0.6, ("b", "c"): 0.5}

    assert nearest_distances(distances) == {"a": 0.2, "b": 0.2, "c": 0.5}
    assert median_distances(distances) == {
        "a": pytest.approx(0.4),
        "b": pytest.approx(0.35),
        "c": pytest.approx(0.55),
    }


Face = tuple[Bytes, LandmarkedFace]


class GreyMeter:
    """A likeness by the lightness of the face."""

    scale: LikenessScale = "dlib"
    same_below = SAME_BELOW["dlib"]

    def distances(
        self, reference: Face, faces: tuple[Bytes, tuple[LandmarkedFace, ...]]
    ) -> tuple[float, ...]:
        return self.distance_table([reference], [(faces[0], face) for face in faces[1]])[0]

    def distance_table(
        self, references: Sequence[Face], faces: Sequence[Face]
    ) -> tuple[tuple[float, ...], ...]:
        return tuple(
            tuple(abs(float(rgb.mean()) - float(known.mean())) / 100 for rgb, _ in faces)
            for known, _ in references
        )


METERS = Meters(likeness=GreyMeter())
HERE = compared_by(METERS)


class References:
    """Reference images whose faces have the lightness in their names."""

    def __init__(self, *names: str) -> None:
        self.names = names
        self.read: list[str] = []

    def of(self, character_id: str) -> Sequence[str]:
        if character_id == "unknown":
            raise UnknownCharacter("There is none.")
        return self.names

    def faces(self, name: str) -> SeenFaces:
        self.read.append(name)
        if name == "gone":
            raise PictureNotFound("It is gone.")
        if name == "empty":
            return ()
        rgb = np.full((4, 4, 3), int(name), np.uint8)
        face = LandmarkedFace((0, 0, 4, 4), np.zeros((468, 3), np.float32), 1.0, 0, 0, 0)
        return (SeenFace((0, 0, 4, 4), FaceCut(rgb, face, 4, None, None)),)

    @property
    def baselines(self) -> Baselines:
        return Baselines(self.of, self.faces)

    @property
    def bound(self) -> CharacterBound:
        return self.baselines.of("mira", "dlib", HERE)


def test_three_references_give_a_bound_and_are_read_once_in_a_run() -> None:
    references = References("100", "120", "150", "120")
    baselines = references.baselines

    found = [baselines.of("mira", "dlib", HERE) for _ in range(2)]

    assert found[0] == found[1]
    # The farthest are 0.5 apart.
    assert found[0].same_below == pytest.approx(1.1 * 0.48, abs=0.03)
    assert references.read == ["100", "120", "150"]


@pytest.mark.parametrize(
    ("names", "reason"),
    [
        pytest.param(("100", "120", "120"), TOO_FEW, id="two pictures, one of them twice"),
        pytest.param(("100", "120", "gone"), TOO_FEW, id="one is gone"),
        pytest.param(("100", "120", "empty"), TOO_FEW, id="one shows no face"),
        pytest.param(("100", "120", "250"), TOO_UNLIKE, id="one shows another person"),
    ],
)
def test_fewer_than_three_references_of_the_person_give_none(
    names: tuple[str, ...], reason: str
) -> None:
    assert References(*names).bound == CharacterBound(reason=reason)


@pytest.mark.parametrize("odd", ["gone", "empty"])
def test_a_reference_that_shows_nothing_says_nothing_of_the_others(odd: str) -> None:
    whole, with_odd = References("100", "120", "150"), References("100", odd, "120", "150")

    assert with_odd.bound == whole.bound != CharacterBound()


def test_the_first_references_are_enough() -> None:
    references = References(*(str(100 + number) for number in range(MAX_REFERENCES + 3)))

    assert references.bound.same_below is not None
    assert len(references.read) == MAX_REFERENCES


def test_a_bound_is_of_the_scale_whose_distances_give_it() -> None:
    baselines = References("100", "120", "150").baselines
    here = baselines.of("mira", "dlib", HERE)
    asked = baselines.of("mira", "facefusion", lambda seen: pairs(seen, 0.26))

    assert here.same_below == pytest.approx(1.1 * 0.48, abs=0.03)
    assert asked.same_below == pytest.approx(1.1 * 0.26)


def pairs(names: Iterable[str], distance: float) -> dict[tuple[str, str], float]:
    return dict.fromkeys(combinations(names, 2), distance)


@pytest.mark.parametrize(
    ("error", "tries"),
    [
        pytest.param(HostUnreachable("It is away."), 1, id="a host that is away"),
        pytest.param(OperationCancelled("One job was stopped."), 2, id="a job that was stopped"),
        pytest.param(RunStopped("One job was stopped."), 2, id="a job that waited"),
    ],
)
def test_what_ended_with_one_job_is_tried_again_for_the_next(error: Exception, tries: int) -> None:
    baselines, tried = References("100", "120", "150").baselines, []

    def fails(seen: Mapping[str, SeenFace]) -> Distances:
        tried.append(seen)
        raise error

    for _ in range(2):
        with pytest.raises(type(error)):
            baselines.of("mira", "facefusion", fails)
    assert len(tried) == tries


def test_a_thread_that_asks_meanwhile_waits_for_the_bound_of_the_first() -> None:
    references, begun, go_on = References("100", "120", "150"), Event(), Event()

    def slowly(name: str) -> SeenFaces:
        begun.set()
        assert go_on.wait(60)
        return references.faces(name)

    baselines = Baselines(references.of, slowly)
    with ThreadPoolExecutor(2) as threads:
        first = threads.submit(baselines.of, "mira", "dlib", HERE)
        assert begun.wait(60)
        second = threads.submit(baselines.of, "mira", "dlib", HERE)
        go_on.set()

        assert first.result(60) == second.result(60) != CharacterBound()
    assert len(references.read) == 3


RULES = MeasureRules(bounds=Bounds(least_gain=0.2))


def found_bounds(
    references: References, character_id: str | None, rules: MeasureRules = RULES
) -> Bounds:
    own = partial(references.baselines.of, scale="dlib", compare=HERE)
    return bounds_of(rules, character_id, "dlib", own)


def test_a_picture_is_checked_by_the_bounds_of_its_character() -> None:
    found = found_bounds(References("100", "101", "102"), "mira")

    assert found.held("dlib") == HeldBound(pytest.approx(0.45), "references")  # the narrowest
    assert found.least_gain == 0.2
    assert found.held("facefusion") == HeldBound(SAME_BELOW["facefusion"], "usual")


@pytest.mark.parametrize(
    ("character_id", "reason"),
    [
        pytest.param("mira", TOO_FEW, id="a character with too few"),
        pytest.param(
            "unknown",
            "the reference images were not compared: There is none",
            id="a character that is gone",
        ),
        pytest.param(None, "", id="no character"),
    ],
)
def test_else_the_usual_bound_holds_and_the_reason_is_told(
    character_id: str | None, reason: str
) -> None:
    found = found_bounds(References("100", "101"), character_id)

    assert found.held("dlib") == HeldBound(SAME_BELOW["dlib"], "usual", reason)


def test_where_nothing_measures_any_more_the_usual_bound_holds() -> None:
    baselines = References("100", "101", "102").baselines
    lost = compared_by(Meters(missing={"likeness": "dlib is not installed"}))
    own = partial(baselines.of, scale="dlib", compare=lost)

    found = bounds_of(RULES, "mira", "dlib", own).held("dlib")

    assert found.origin == "usual"
    assert found.reason == "the reference images were not compared: dlib is not installed"


def test_a_bound_of_the_settings_needs_no_references() -> None:
    references = References("100", "101", "102")

    found = found_bounds(references, "mira", MeasureRules(bounds=Bounds(same_below=0.5)))

    assert found.held("dlib") == HeldBound(0.5, "setting")
    assert references.read == []
