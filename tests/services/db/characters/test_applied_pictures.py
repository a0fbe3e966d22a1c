"""A picture is put into documents as the app writes them, once, and its undo line takes it back."""

from collections.abc import Sequence
from typing import Any

import pytest

from db.applied_pictures import (
    clip_entry,
    order_reference_images,
    put_clip_picture,
    put_reference_image,
)
from db.errors import (
    BrokenCharacter,
    BrokenDocument,
    DocumentDeleted,
    UnknownCharacter,
    UnknownDocument,
)
from db.ledger import OperationLedger, record_operation
from db.setup.apply import initialise
from tests.support.db.database_state import Data
from tests.support.db.mongosh import run_line
from tests.support.db.records import CHARACTER, NOW, character, output, record

PICTURE = output("new")
ENTRY = clip_entry(record(parameters={"enhancement_model": "codeformer"}), PICTURE, NOW)
IMAGE = {"id": "old", "url": "file:///old", "is_selected": True, "created_at": NOW}


def is_same(address: str) -> bool:
    return address == PICTURE.url


def only(database: Data, collection: str) -> dict[str, Any]:
    [found] = database[collection].find()
    return found


def clip(**fields: Any) -> dict[str, Any]:
    return {"id": "clip-1", "scene_id": "s", "name": "c", "updated_at": NOW, **fields}


@pytest.mark.parametrize(
    "before",
    [
        {"reference_images": ["face.png", "b.png"]},
        {"reference_images": ["face.png", PICTURE.url]},
        {"reference_images": []},
        {"reference_images": None},
        {},
    ],
)
def test_a_reference_image_is_first_until_it_is_undone(
    any_database: Data, before: dict[str, Any]
) -> None:
    document = {"id": CHARACTER, "name": "Mira", "updated_at": NOW, **before}
    any_database["characters"].insert_one(document)
    was = only(any_database, "characters")

    report = put_reference_image(any_database, CHARACTER, PICTURE, is_same, NOW)

    old = [each for each in before.get("reference_images") or [] if each != PICTURE.url]
    assert only(any_database, "characters")["reference_images"] == [PICTURE.url, *old]
    assert run_line(any_database, report.undo) == 1
    assert only(any_database, "characters") == was


def test_a_reference_image_that_is_first_already_changes_nothing(database: Data) -> None:
    database["characters"].insert_one(character(reference_images=[PICTURE.url, "b.png"]))
    was = only(database, "characters")

    report = put_reference_image(database, CHARACTER, PICTURE, is_same, NOW)

    assert "is already first" in report.done
    assert (report.undo, only(database, "characters")) == ("", was)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"deleted_at": NOW}, UnknownCharacter),
        ({"id": "other"}, UnknownCharacter),
        ({"reference_images": "face.png"}, BrokenCharacter),
        ({"reference_images": ["face.png", None]}, BrokenCharacter),
    ],
)
def test_a_character_that_cannot_take_it_stays_as_it_is(
    database: Data, fields: dict[str, Any], error: type[Exception]
) -> None:
    database["characters"].insert_one(character() | fields)
    was = only(database, "characters")

    with pytest.raises(error):
        put_reference_image(database, CHARACTER, PICTURE, is_same, NOW)

    assert only(database, "characters") == was


@pytest.mark.parametrize("select", [True, False])
@pytest.mark.parametrize(
    "before",
    [
        {"generated_images": [IMAGE], "selected_image_id": "old"},
        {"generated_images": [IMAGE, "file:///new"], "selected_image_id": "old"},
        {"generated_images": [{"url": "file:///new", "created_at": NOW}]},
        {"generated_images": [], "selected_image_id": None},
    ],
)
def test_a_clip_picture_is_there_until_it_is_undone(
    any_database: Data, before: dict[str, Any], select: bool
) -> None:
    any_database["clips"].insert_one(clip(**before))
    was = only(any_database, "clips")

    report = put_clip_picture(any_database, "clip-1", ENTRY, is_same, NOW, select=select)

    now = only(any_database, "clips")
    [shown] = [image for image in now["generated_images"] if image.get("url") == PICTURE.url]
    assert shown["id"] == ENTRY["id"]
    assert (now.get("selected_image_id") == shown["id"]) is select
    assert run_line(any_database, report.undo) >= 1
    assert only(any_database, "clips") == was


def test_pictures_that_a_clip_got_later_stay_when_it_is_undone(database: Data) -> None:
    database["clips"].insert_one(clip(generated_images=[IMAGE], selected_image_id="old"))
    report = put_clip_picture(database, "clip-1", ENTRY, is_same, NOW, select=True)
    later = {"id": "later", "url": "file:///later"}
    database["clips"].update_one({}, {"$push": {"generated_images": later}})

    run_line(database, report.undo)

    assert only(database, "clips")["generated_images"] == [IMAGE, later]


@pytest.mark.parametrize("images", [None, "missing"])
def test_a_clip_without_images_gets_a_list(database: Data, images: object) -> None:
    fields = {} if images == "missing" else {"generated_images": images}
    database["clips"].insert_one(clip(**fields))

    put_clip_picture(database, "clip-1", ENTRY, is_same, NOW, select=True)

    found = only(database, "clips")
    assert found["generated_images"] == [{**ENTRY, "is_selected": True}]
    assert found["selected_image_id"] == ENTRY["id"]


def test_a_clip_picture_is_never_there_twice(database: Data) -> None:
    database["clips"].insert_one(clip())
    put_clip_picture(database, "clip-1", ENTRY, is_same, NOW, select=True)
    was = only(database, "clips")

    report = put_clip_picture(database, "clip-1", ENTRY, is_same, NOW, select=True)

    assert "already" in report.done
    assert (report.undo, only(database, "clips")) == ("", was)


@pytest.mark.parametrize(
    ("fields", "error"),
    [
        ({"deleted_at": NOW}, DocumentDeleted),
        ({"id": "other"}, UnknownDocument),
        ({"generated_images": {"0": IMAGE}}, BrokenDocument),
    ],
)
def test_a_clip_that_cannot_take_it_stays_as_it_is(
    database: Data, fields: dict[str, Any], error: type[Exception]
) -> None:
    database["clips"].insert_one(clip() | fields)
    was = only(database, "clips")

    with pytest.raises(error):
        put_clip_picture(database, "clip-1", ENTRY, is_same, NOW, select=True)

    assert only(database, "clips") == was


def test_a_change_of_the_app_meanwhile_is_kept(database: Data) -> None:
    database["clips"].insert_one(clip(generated_images=[IMAGE], selected_image_id="old"))
    of_the_app = iter([{"id": "app", "url": "file:///app"}])

    def is_same_while_the_app_saves(address: str) -> bool:
        if added := next(of_the_app, None):
            database["clips"].update_one({}, {"$push": {"generated_images": added}})
        return is_same(address)

    put_clip_picture(database, "clip-1", ENTRY, is_same_while_the_app_saves, NOW, select=True)

    ids = [image["id"] for image in only(database, "clips")["generated_images"]]
    assert ids == ["old", "app", ENTRY["id"]]


def test_outputs_are_found_by_their_pixels_also_those_that_a_forced_run_replaced(
    database: Data,
) -> None:
    first = output("first").model_copy(update={"sha256": "1" * 64})
    second = output("second").model_copy(update={"sha256": "2" * 64})
    record_operation(database, record(output=first), NOW)
    record_operation(database, record(output=second, repeat="run"), NOW)
    ledger = OperationLedger(database)

    assert [found for _, found in ledger.pictures_with("1" * 64)] == [first]
    assert [found for _, found in ledger.pictures_with("2" * 64)] == [second]
    assert ledger.pictures_with("3" * 64) == []


def test_outputs_are_found_by_indexes(database: Data) -> None:
    initialise(database)
    many = [record(f"{n}", output=output(f"{n}"), effects=[]) for n in range(300)]
    documents = [each.model_dump(by_alias=True) for each in many]
    for number, document in enumerate(documents):
        document["output"]["sha256"] = f"{number:064}"
    database["facefusion_operations"].insert_many(documents)
    either = [{"output.sha256": f"{7:064}"}, {"earlier_outputs.sha256": f"{7:064}"}]
    find = {"find": "facefusion_operations", "filter": {"$or": either}, "sort": {"created_at": -1}}

    explained = database.command("explain", find, verbosity="executionStats")

    assert explained["executionStats"]["totalDocsExamined"] == 1


def test_references_are_in_the_new_order_until_it_is_undone(any_database: Data) -> None:
    any_database["characters"].insert_one(character(reference_images=["a", "b", "c"]))

    report = order_reference_images(any_database, CHARACTER, lambda stored: stored[::-1], NOW)

    assert only(any_database, "characters")["reference_images"] == ["c", "b", "a"]
    assert run_line(any_database, report.undo) == 1
    assert only(any_database, "characters")["reference_images"] == ["a", "b", "c"]


def test_a_reference_that_the_app_adds_while_they_are_ordered_stays(database: Data) -> None:
    database["characters"].insert_one(character(reference_images=["a", "b"]))
    seen = []

    def order_while_the_app_adds(stored: Sequence[Any]) -> list[Any]:
        if not seen:
            database["characters"].update_one({}, {"$push": {"reference_images": "new"}})
        seen.append(stored)
        return sorted(stored, key=["b", "a", "new"].index)

    order_reference_images(database, CHARACTER, order_while_the_app_adds, NOW)

    assert seen == [["a", "b"], ["a", "b", "new"]]
    assert only(database, "characters")["reference_images"] == ["b", "a", "new"]


@pytest.mark.parametrize("stored", [["b", "a"], [], None])
def test_references_that_are_in_order_are_not_written(database: Data, stored: object) -> None:
    database["characters"].insert_one(character(reference_images=stored, updated_at=NOW))
    was = only(database, "characters")

    report = order_reference_images(database, CHARACTER, list, NOW)

    assert only(database, "characters") == was
    assert "nothing was changed" in report.summary()
