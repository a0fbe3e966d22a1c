"""A row with the names of either version of the app is read by those that it is stored by."""

from typing import Any

import pytest

from db.schema.later_names import LATER_NAMES, NamesDisagree, with_first_names
from db.schema.validators import validator_of
from tests.support.db.stored_documents import DOCUMENTS


@pytest.mark.parametrize(
    ("collection", "row", "named"),
    [
        ("templates", {"name": "A", "original_image_id": 1}, {"title": "A", "image_id": 1}),
        ("templates", {"title": "A", "image_id": 1}, {"title": "A", "image_id": 1}),
        ("templates", {"title": "A", "name": "A", "x": 1}, {"title": "A", "x": 1}),
        ("templates", {"title": None, "name": "A"}, {"title": "A"}),
        ("templates", {"title": "A", "name": None}, {"title": "A"}),
        ("templates", {"name": None}, {"title": None}),
        ("faceswap_tasks", {"wife_photo_id": 2}, {"wife_image_id": 2}),
        ("faceswap_tasks", {"husband_photo_id": 0}, {"husband_image_id": 0}),
        ("images", {"image_metadata": {}, "metadata": {}}, {"metadata": {}}),
        ("batch_tasks", {"wife_photo_id": 2}, {"wife_photo_id": 2}),
    ],
)
def test_a_row_is_named_as_it_is_stored(
    collection: str, row: dict[str, Any], named: dict[str, Any]
) -> None:
    before = dict(row)

    assert with_first_names(collection, row) == named
    assert row == before


def test_two_values_of_one_field_are_refused_with_both_names_in_few_words() -> None:
    row = {"husband_image_id": "a" * 100, "husband_photo_id": "b"}

    with pytest.raises(
        NamesDisagree, match=r"^husband_image_id 'aa.* and husband_photo_id 'b'"
    ) as e:
        with_first_names("faceswap_tasks", row)

    assert (e.value.code, e.value.retryable) == ("bad_field", False)
    assert len(str(e.value)) < 200


@pytest.mark.parametrize("collection", LATER_NAMES)
def test_the_validator_knows_both_names_of_a_field(collection: str) -> None:
    validator = validator_of(DOCUMENTS[collection])["$jsonSchema"]

    for later, first in LATER_NAMES[collection].items():
        assert {later, first} <= validator["properties"].keys()
        assert {later, first}.isdisjoint(validator.get("required", ()))
