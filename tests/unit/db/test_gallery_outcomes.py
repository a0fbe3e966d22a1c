"""What became of a picture is decided from the gallery as it is stored, whatever is in it."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from db.gallery_outcomes import (
    GalleryEntry,
    Outcome,
    missing_places,
    outcomes,
    variants_of_others,
)
from db.schema.documents.faces import GalleryEffect

NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
KEPT, REMOVED, REPLACED, UNKNOWN = Outcome
EMPTY: dict[str, Any] = {
    "enhanced_faces": [],
    "swapped_faces": [],
    "edited_expressions": [],
    "custom_outputs": [],
    "age_variants": {},
}


def picture(url: str, *, age: int | None = None, applied: int | None = 0) -> GalleryEffect:
    return GalleryEffect(
        id=url,
        character_id="c",
        gallery="age_variants" if age is not None else "enhanced_faces",
        age=age,
        url=url,
        applied_at=None if applied is None else NOW + timedelta(seconds=applied),
    )


def entry(*pictures: GalleryEffect) -> GalleryEntry:
    return GalleryEntry("enhance", {}, pictures)


@pytest.mark.parametrize(
    ("gallery", "outcome"),
    [
        (EMPTY | {"enhanced_faces": ["b", "a"]}, KEPT),
        (EMPTY | {"custom_outputs": ["a"]}, KEPT),
        (EMPTY | {"age_variants": {"30": "a"}}, KEPT),
        (EMPTY | {"age_variants": {"thirty": "a"}}, KEPT),
        (EMPTY, REMOVED),
        (EMPTY | {"enhanced_faces": [None, 7, {"url": "a"}]}, REMOVED),
        (EMPTY | {"enhanced_faces": None}, UNKNOWN),
        (EMPTY | {"enhanced_faces": "a"}, UNKNOWN),
        (EMPTY | {"enhanced_faces": {"0": "a"}}, UNKNOWN),
        ({"enhanced_faces": []}, REMOVED),
        ({"age_variants": {}}, UNKNOWN),
        ({}, UNKNOWN),
        (None, UNKNOWN),
        ([], UNKNOWN),
    ],
)
def test_a_picture_of_a_list_is_kept_or_removed_if_the_list_is_there(
    gallery: object, outcome: Outcome
) -> None:
    assert outcomes([entry(picture("a"))], gallery) == [outcome]


def test_a_picture_that_never_reached_the_gallery_was_not_removed() -> None:
    assert outcomes([entry(picture("a", applied=None))], EMPTY) == [UNKNOWN]


@pytest.mark.parametrize(
    ("variants", "others", "expected"),
    [
        ({"45": "new"}, (), [KEPT, REPLACED]),
        ({"45": "old"}, (), [REPLACED, KEPT]),
        ({}, (), [REMOVED, REPLACED]),
        ({"45": None}, (), [REMOVED, REPLACED]),
        ({"45": "of a person"}, (), [REMOVED, REPLACED]),
        ({"45": "of an older run"}, ("of an older run",), [REPLACED, REPLACED]),
        ({"46": "new"}, (), [KEPT, REPLACED]),
    ],
)
def test_an_age_has_one_picture_and_a_later_run_replaces_it(
    variants: dict[str, Any], others: tuple[str, ...], expected: list[Outcome]
) -> None:
    entries = [entry(picture("new", age=45, applied=9)), entry(picture("old", age=45, applied=1))]

    found = outcomes(entries, EMPTY | {"age_variants": variants}, others)

    assert found == expected


@pytest.mark.parametrize(
    ("there", "outcome"), [(["first"], KEPT), (["second"], KEPT), ([], REMOVED)]
)
def test_of_an_operation_that_was_done_again_one_kept_picture_is_enough(
    there: list[str], outcome: Outcome
) -> None:
    twice = entry(picture("first"), picture("second", applied=5))

    assert outcomes([twice], EMPTY | {"enhanced_faces": there}) == [outcome]


def test_pictures_of_ages_that_the_entries_do_not_have_are_found() -> None:
    gallery = EMPTY | {"age_variants": {"45": "new", "60": "other", "70": None}}

    assert variants_of_others([entry(picture("new", age=45))], gallery) == {"other"}
    assert variants_of_others([], None) == set()


def test_lists_that_are_missing_are_named_if_a_picture_was_put_there() -> None:
    entries = [entry(picture("a")), entry(picture("b", age=45))]

    assert missing_places(entries, EMPTY) == []
    assert missing_places(entries, {"age_variants": None}) == ["age_variants", "enhanced_faces"]
    assert missing_places([], None) == []
