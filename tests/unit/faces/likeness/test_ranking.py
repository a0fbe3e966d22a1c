"""Which reference image is the best source: by size, pose, sharpness and likeness, in that mix."""

from dataclasses import replace
from itertools import combinations

import pytest

from storycanvas.faces.likeness.ranking import ReferenceFacts, in_order, ranked

GOOD = ReferenceFacts("good", faces=1, side=400, yaw=2, pitch=-3, sharpness=0.3)


def order_of(*facts: ReferenceFacts, distances: dict[tuple[str, str], float] | None = None) -> str:
    scale = "dlib" if distances else None
    return " ".join(each.reference for each in ranked(facts, distances or {}, scale))


@pytest.mark.parametrize(
    "worse",
    [
        replace(GOOD, side=90),
        replace(GOOD, yaw=40),
        replace(GOOD, pitch=-40),
        replace(GOOD, sharpness=0.08),
        replace(GOOD, faces=3),
        ReferenceFacts("any", problem="no face was found in it"),
    ],
)
def test_what_is_worse_in_one_thing_comes_later(worse: ReferenceFacts) -> None:
    assert order_of(replace(worse, reference="worse"), GOOD) == "good worse"


def test_equal_ones_keep_their_order() -> None:
    assert order_of(*(replace(GOOD, reference=name) for name in "bca")) == "b c a"


def test_a_turned_face_is_worse_than_a_soft_one() -> None:
    turned, soft = replace(GOOD, yaw=44), replace(GOOD, reference="soft", sharpness=0.1)

    assert order_of(turned, soft) == "soft good"


def test_a_picture_unlike_the_others_comes_later_and_another_person_last_but_for_no_face() -> None:
    facts = [ReferenceFacts("none", problem="no face was found in it")]
    facts += [replace(GOOD, reference=name) for name in "xabcd"]
    distances = dict.fromkeys(combinations("abcd", 2), 0.3)
    distances |= dict.fromkeys([("a", "x"), ("b", "x"), ("c", "x"), ("d", "x")], 0.8)
    distances |= {("a", name): 0.5 for name in "bcd"}

    found = ranked(facts, distances, "dlib")

    assert [each.reference for each in found] == ["b", "c", "d", "a", "x", "none"]
    assert "like none of the other pictures: probably another person" in found[-2].reasons
    assert found[-1].reasons == ("no face was found in it",)
    assert found[-1].score == 0


def test_reasons_name_what_was_measured() -> None:
    facts = replace(GOOD, side=90, yaw=35, pitch=0, sharpness=0.05, faces=2)

    (found,) = ranked([facts], {}, None)

    assert found.reasons == (
        "the face has only 90 pixels",
        "turned away, by 35 degrees",
        "blurred",
        "2 faces, of which the largest was measured",
    )
    assert (found.turned, found.unlike) == (35.0, None)


@pytest.mark.parametrize(
    ("stored", "result"),
    [
        (["a", "b", "c"], ["c", "a", "b"]),
        (["new", "a", "b", "c"], ["c", "a", "b", "new"]),
        (["b"], ["b"]),
        (["a", "c", "a"], ["c", "a", "a"]),
        ([None, "b", {"url": "c"}, "a"], ["a", "b", None, {"url": "c"}]),
        ([], []),
    ],
)
def test_an_order_loses_nothing_that_is_stored(stored: list[object], result: list[object]) -> None:
    assert in_order(stored, ["c", "a", "b"]) == result
