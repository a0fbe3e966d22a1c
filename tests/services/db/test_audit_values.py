"""An audit finds values that no schema names and copies that differ, and copies them again."""

from typing import Any

import pytest

from db.audit.audit import audit
from db.schema.copies import COPIES, Copy
from tests.support.db.database_state import Data
from tests.support.db.stored_documents import NOW, the_finding

Rows = list[dict[str, Any]]


def test_clips_of_an_unknown_type_are_listed_and_left_as_they_are(any_database: Data) -> None:
    types = ["image", "video", "text", None, "audio", "Image", "audio", 7]
    any_database["clips"].insert_many(
        [{"id": str(n), "type": kind} for n, kind in enumerate(types)]
    )
    any_database["clips"].insert_many(
        [{"id": "without"}, {"id": "gone", "type": "x", "deleted_at": NOW}]
    )
    before = [*any_database["clips"].find()]

    odd = the_finding(audit(any_database, NOW, fix=True), "odd value")

    assert (odd.count, odd.severity, odd.done) == (4, "info", "")
    assert odd.subject == "type is none of image, video, text, but 'audio', 7, 'Image'"
    assert odd.ids == ("4", "6", "7", "5")
    assert [*any_database["clips"].find()] == before


def sources(copy: Copy) -> Rows:
    value = copy.source_field
    return [
        {"id": "s", value: "right"},
        {"id": "empty", value: ""},
        {"id": "twice", value: "one"},
        {"id": "twice", value: "other"},
    ]


def copies(copy: Copy) -> Rows:
    """Copies that are right, missing or cannot be known, and last two that differ."""
    values = [
        ("s", "right"),
        ("empty", "x"),
        ("twice", "x"),
        ("gone", "x"),
        (None, "x"),
        (["s"], "x"),
    ]
    rows = [{copy.by: by, copy.field: value} for by, value in values]
    return [
        *rows,
        {copy.by: "s"},
        {copy.by: "s", copy.field: "stale"},
        {copy.by: "s", copy.field: 7},
    ]


@pytest.mark.parametrize("copy", COPIES, ids=str)
def test_copies_that_differ_are_found_and_copied_again(database: Data, copy: Copy) -> None:
    database[copy.source].insert_many(sources(copy))
    rows = [{**row, "_id": n, "id": str(n), "name": "n"} for n, row in enumerate(copies(copy))]
    database[copy.collection].insert_many(rows)

    looked = the_finding(audit(database, NOW), "different copy")
    before = [*database[copy.collection].find()]
    fixed, again = (audit(database, NOW, fix=True).of("different copy") for _ in range(2))

    assert (looked.collection, looked.subject) == (copy.collection, str(copy))
    assert (looked.count, sorted(looked.ids), looked.done) == (2, ["7", "8"], "")
    assert before == rows
    assert [finding.done for finding in fixed] == ["fixed: 2 copied again."]
    assert again == ()
    mended = [{**row, copy.field: "right"} for row in rows[-2:]]
    assert [*database[copy.collection].find().sort("_id")] == [*rows[:-2], *mended]


def test_a_deleted_copy_and_a_templates_own_category_stay(any_database: Data) -> None:
    any_database["scenes"].insert_one({"id": "s", "project_id": "right"})
    clip = {"_id": 1, "scene_id": "s", "project_id": "stale", "deleted_at": NOW}
    any_database["clips"].insert_one(clip)
    any_database["images"].insert_one({"id": "i", "category": "right"})
    own = {"image_id": "i", "is_preprocessed": False}
    any_database["templates"].insert_many(
        [
            {"_id": 1, **own, "category": "of its own"},
            {"_id": 2, "image_id": "i", "is_preprocessed": None, "category": "stale"},
        ]
    )

    [fixed] = audit(any_database, NOW, fix=True).of("different copy")

    assert fixed.done == "fixed: 1 copied again."
    assert any_database["clips"].find_one() == clip
    categories = [row["category"] for row in any_database["templates"].find().sort("_id")]
    assert categories == ["of its own", "right"]


def test_copies_are_counted_exactly_and_the_first_20_are_named(database: Data) -> None:
    database["scenes"].insert_many([{"id": f"s{n}", "project_id": "right"} for n in range(9)])
    clips = [{"id": f"{n:04}", "scene_id": f"s{n % 9}", "project_id": f"p{n}"} for n in range(300)]
    database["clips"].insert_many(clips)

    copy = the_finding(audit(database, NOW, sample_size=1), "different copy")

    assert copy.count == 300
    assert len(set(copy.ids)) == 20
