"""What is set of a list of pictures is decided from the list as it is stored."""

from typing import Any

import pytest

from db.applied_pictures import IMAGES, SELECTED, first_once, with_picture

URL, PATH = "http://pictures/new.png", "new.png"
ENTRY: dict[str, Any] = {"id": "new", "url": URL, "is_selected": False}
OLD: dict[str, Any] = {"id": "old", "url": "http://pictures/old.png", "is_selected": True}
UNMARKED = {**OLD, "is_selected": False}
CHOSEN = {**ENTRY, "is_selected": True}


def is_same(address: str) -> bool:
    return address in {URL, PATH}


@pytest.mark.parametrize(
    ("stored", "wanted"),
    [
        ([], [URL]),
        (["a"], [URL, "a"]),
        ([URL], [URL]),
        (["a", URL, "b"], [URL, "a", "b"]),
        ([URL, "a", URL], [URL, "a"]),
        (["a", PATH], [URL, "a"]),
    ],
)
def test_a_reference_image_is_first_and_there_once(stored: list[str], wanted: list[str]) -> None:
    assert first_once(stored, URL, is_same) == wanted


@pytest.mark.parametrize(
    ("images", "selected", "wanted"),
    [
        ([], None, {IMAGES: [CHOSEN], SELECTED: "new"}),
        ([OLD], "old", {IMAGES: [UNMARKED, CHOSEN], SELECTED: "new"}),
        ([UNMARKED, ENTRY], "old", {IMAGES: [UNMARKED, CHOSEN], SELECTED: "new"}),
        ([UNMARKED, CHOSEN], "new", {}),
        ([UNMARKED, CHOSEN], "gone", {SELECTED: "new"}),
        ([URL, "other.png", None], None, {IMAGES: [CHOSEN, "other.png", None], SELECTED: "new"}),
        (
            [{"url": URL, "prompt": "x"}],
            None,
            {IMAGES: [CHOSEN | {"prompt": "x"}], SELECTED: "new"},
        ),
        ([{"id": "own", "url": PATH, "is_selected": True}], None, {SELECTED: "own"}),
    ],
)
def test_a_clip_gets_the_picture_once_and_shows_it(
    images: list[Any], selected: object, wanted: dict[str, Any]
) -> None:
    assert with_picture(images, selected, ENTRY, is_same, select=True) == wanted


@pytest.mark.parametrize(
    ("images", "wanted"),
    [([], {IMAGES: [ENTRY]}), ([OLD], {IMAGES: [OLD, ENTRY]}), ([OLD, CHOSEN], {})],
)
def test_a_clip_that_is_not_to_show_it_shows_what_it_showed(
    images: list[Any], wanted: dict[str, Any]
) -> None:
    assert with_picture(images, "old", ENTRY, is_same, select=False) == wanted
