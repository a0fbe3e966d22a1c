"""Recording loses nothing and doubles nothing, on a standalone server and on a replica set."""

import time
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier
from typing import Any

import bson
import pytest
from bson import ObjectId
from bson.raw_bson import RawBSONDocument

from db.audit.audit import audit
from db.characters import CharacterRepository
from db.errors import BrokenCharacter, CharacterTooLarge, UnknownCharacter
from db.ledger import OperationLedger, apply_effects, record_failure, record_operation
from db.schema.documents.characters import GALLERY_LISTS, HISTORY_LIMIT
from db.schema.documents.faces import GalleryEffect
from db.setup.apply import initialise
from tests.support.db.database_state import Data
from tests.support.db.killed import killed, record_operation_once
from tests.support.db.odd_documents import DOUBLED, INSIDE, insert, raw
from tests.support.db.records import CHARACTER, NOW, character, effects, entry, output, record
from tests.support.db.stored_documents import found

HISTORY, GALLERY = "facefusion_processing_history", "facefusion_output_gallery"


def stored(database: Data) -> dict[str, Any]:
    found = database["characters"].find_one({"id": CHARACTER})
    assert found is not None
    return found


def pending(database: Data) -> int:
    return sum(
        effect["applied_at"] is None
        for document in database["facefusion_operations"].find()
        for effect in document["effects"]
    )


def test_a_finished_operation_reaches_history_and_gallery_once(any_database: Data) -> None:
    any_database["characters"].insert_one(character())

    for _ in range(3):
        record_operation(any_database, record(), NOW)

    found = stored(any_database)
    assert [e["output_image_url"] for e in found[HISTORY]] == ["out-1.png"]
    assert found[GALLERY]["age_variants"] == {"45": "out.png"}
    assert pending(any_database) == 0
    assert any_database["facefusion_operations"].count_documents({}) == 1


@pytest.mark.parametrize("fatal", range(1, 8))
def test_a_kill_before_any_write_is_repaired_by_the_next_try(
    any_url: str, any_database: Data, fatal: int
) -> None:
    any_database["characters"].insert_one(character())
    assert killed(record_operation_once, any_url, any_database.name, fatal) == (fatal <= 6)

    record_operation(any_database, record(), NOW)

    found = stored(any_database)
    assert len(found[HISTORY]) == 1
    assert found[GALLERY]["age_variants"] == {"45": "out.png"}
    assert pending(any_database) == 0


@pytest.mark.parametrize("deleted", [False, True])
def test_pending_effects_are_applied_once_and_wait_while_a_character_is_deleted(
    database: Data, deleted: bool
) -> None:
    characters = database["characters"]
    characters.insert_one(character(deleted_at=NOW if deleted else None))
    if deleted:
        record_operation(database, record(), NOW)
        assert pending(database) == 2
        characters.update_one({"id": CHARACTER}, {"$set": {"deleted_at": None}})
    else:
        OperationLedger(database).complete(record())

    assert [apply_effects(database, "key-1", NOW) for _ in range(2)] == [2, 0]
    assert len(stored(database)[HISTORY]) == 1


def test_a_reused_operation_gives_a_second_character_its_own_entries(database: Data) -> None:
    database["characters"].insert_many([character(), {**character(), "id": "other"}])
    record_operation(database, record(), NOW)

    record_operation(database, record(effects=effects("key-1", "other")), NOW)

    counts = [len(document[HISTORY]) for document in database["characters"].find()]
    assert counts == [1, 1]


def test_a_forced_repetition_replaces_the_output_once_and_keeps_the_old_output(
    database: Data,
) -> None:
    database["characters"].insert_one(character())
    record_operation(database, record(), NOW)
    again = record(repeat="run-2", output=output("new"), effects=effects("key-1", repeat="run-2"))

    for _ in range(2):
        record_operation(database, again, NOW)

    found = OperationLedger(database).find("key-1")
    assert found is not None
    assert (found.output, found.earlier_outputs) == (output("new"), [output()])
    assert len(stored(database)[HISTORY]) == 2


def test_a_repetition_is_recorded_in_a_record_with_a_field_twice(database: Data) -> None:
    document = record().model_dump(by_alias=True)
    insert(database, "facefusion_operations", raw(*document.items(), ("host", "box")))
    again = record(repeat="run-2", output=output("new"), host="another")

    OperationLedger(database).complete(again)

    found = OperationLedger(database).find("key-1")
    assert found is not None
    assert (found.output, found.earlier_outputs) == (output("new"), [output()])


def test_runs_that_repeat_an_operation_at_once_keep_every_output(database: Data) -> None:
    ledger = OperationLedger(database)
    ledger.complete(record())
    repeats = [record(repeat=f"run-{n}", output=output(f"new-{n}")) for n in range(8)]

    with ThreadPoolExecutor(8) as pool:
        list(pool.map(ledger.complete, repeats))

    found = ledger.find("key-1")
    assert found is not None
    outputs = [output(), *(repeat.output for repeat in repeats)]
    assert {str(kept) for kept in [found.output, *found.earlier_outputs]} == {*map(str, outputs)}
    assert len(found.earlier_outputs) == 8


def test_the_newest_entries_stay_in_the_order_they_were_added(database: Data) -> None:
    characters = CharacterRepository(database)
    old = [entry(number).model_dump() for number in range(HISTORY_LIMIT)]
    by_the_app = {**entry(1000).model_dump(), "created_at": "2026-11-21T13:00:00"}
    database["characters"].insert_one(character(**{HISTORY: [*old, by_the_app]}))

    for number in (500, 300):
        characters.add_history(CHARACTER, entry(number), NOW)

    ids = [e["id"] for e in stored(database)[HISTORY]]
    assert len(ids) == HISTORY_LIMIT
    assert ids[-3:] == ["entry-1000", "entry-500", "entry-300"]


def test_the_gallery_shows_the_picture_of_an_age_that_was_requested_last(database: Data) -> None:
    database["characters"].insert_one(character())
    first, second = record("key-1"), record("key-2")
    other = [
        e.model_copy(update={"url": "other.png"}) for e in second.effects if e.kind != "history"
    ]
    second = second.model_copy(update={"effects": other})

    for asked in (first, second, first):
        record_operation(database, asked, NOW)

    assert stored(database)[GALLERY]["age_variants"] == {"45": "out.png"}


EMPTY_FIELDS = [
    {},
    {HISTORY: None, GALLERY: None},
    {HISTORY: [], GALLERY: {}},
    {GALLERY: {"enhanced_faces": None, "age_variants": None}},
    {"name": None, "reference_images": None},
]


@pytest.mark.parametrize("fields", EMPTY_FIELDS)
def test_missing_and_null_fields_count_as_empty(database: Data, fields: dict[str, Any]) -> None:
    database["characters"].insert_one(character(**fields))
    characters = CharacterRepository(database)

    characters.find(CHARACTER)
    characters.add_history(CHARACTER, entry(1), NOW)
    for _ in range(2):
        characters.add_to_gallery(CHARACTER, "enhanced_faces", "a.png", NOW)
    characters.set_age_variant(CHARACTER, 45, "b.png", NOW)
    characters.set_age_variant(CHARACTER, 65, "c.png", NOW)

    found = stored(database)
    assert len(found[HISTORY]) == 1
    assert found[GALLERY]["enhanced_faces"] == ["a.png"]
    assert found[GALLERY]["age_variants"] == {"45": "b.png", "65": "c.png"}
    assert found[GALLERY]["custom_outputs"] == []


def test_steps_that_end_at_once_lose_no_picture_of_a_missing_gallery(any_database: Data) -> None:
    names = [f"character {number}" for number in range(40)]
    any_database["characters"].insert_many({"id": name} for name in names)
    characters = CharacterRepository(any_database)
    ages = range(20, 28)
    at_once = Barrier(len(ages))

    def add(age: int) -> None:
        for name in names:
            at_once.wait(10)
            characters.set_age_variant(name, age, f"{age}.png", NOW)

    with ThreadPoolExecutor(len(ages)) as steps:
        list(steps.map(add, ages))

    wanted = {str(age): f"{age}.png" for age in ages}
    stored_variants = [
        each[GALLERY]["age_variants"] for each in any_database["characters"].find({})
    ]
    assert stored_variants == [wanted] * len(names)


def test_other_fields_of_the_gallery_stay(database: Data) -> None:
    before = {"swapped_faces": ["s.png"], "age_variants": {"12": "x.png"}, "app_field": 7}
    database["characters"].insert_one(character(**{GALLERY: before}))

    CharacterRepository(database).set_age_variant(CHARACTER, 45, "$b.png", NOW)

    ages = {"12": "x.png", "45": "$b.png"}
    assert stored(database)[GALLERY].items() >= (before | {"age_variants": ages}).items()


def pictures(count: int) -> dict[str, Any]:
    """A gallery whose first list has so many pictures."""
    address = "http://app.example/uploads/local/result/2026/11/{:064}.png"
    empty: dict[str, Any] = {name: [] for name in GALLERY_LISTS[1:]}
    return {
        "enhanced_faces": [address.format(number) for number in range(count)],
        "age_variants": {},
        **empty,
    }


def test_a_picture_is_added_to_a_list_of_20000_in_less_than_50_ms(any_database: Data) -> None:
    any_database["characters"].insert_one(character(**{GALLERY: pictures(20_000)}))
    characters = CharacterRepository(any_database)
    seconds = []

    for number in range(12):
        began = time.perf_counter()
        characters.add_to_gallery(CHARACTER, "enhanced_faces", f"new-{number}.png", NOW)
        seconds.append(time.perf_counter() - began)
    characters.add_to_gallery(CHARACTER, "enhanced_faces", "new-0.png", NOW)

    listed = stored(any_database)[GALLERY]["enhanced_faces"]
    assert listed[20_000:] == [f"new-{number}.png" for number in range(12)]
    # The fastest, since other tests may use the processor, too.
    assert min(seconds) < 0.05


def full_character() -> dict[str, Any]:
    """A character whose document has 60 bytes less than MongoDB stores."""
    _id = ObjectId()
    size = len(bson.encode(character(_id=_id, by_the_app="")))
    return character(_id=_id, by_the_app="x" * (16 * 2**20 - size - 60))


def test_a_character_without_room_is_told_and_its_effects_stay_pending(any_database: Data) -> None:
    characters = any_database["characters"]
    characters.insert_one({**character(), "id": "other"})
    characters.insert_one(full_character())
    enhanced = GalleryEffect(
        id="e", character_id=CHARACTER, gallery="enhanced_faces", url="x" * 400
    )
    of_other = effects("key-1", "other")
    done = record(effects=[*effects("key-1"), enhanced, *of_other])

    for _ in range(2):
        with pytest.raises(CharacterTooLarge, match=r"'character-1' has no room .* in \w+, since"):
            record_operation(any_database, done, NOW)

    assert pending(any_database) == 3
    other = any_database["characters"].find_one({"id": "other"}) or {}
    assert len(other[HISTORY]) == 1
    report = audit(any_database, NOW, fix=True)
    assert ("facefusion_operations", "entries whose characters have no room for their effects") in (
        found(report, "owed effect")
    )
    any_database["characters"].update_one({"id": CHARACTER}, {"$unset": {"by_the_app": True}})
    assert audit(any_database, NOW, fix=True).fixed[0].done.startswith("fixed: 3 effect(s)")
    assert stored(any_database)[GALLERY]["enhanced_faces"] == [enhanced.url]


def test_what_has_no_room_names_the_character_and_the_list(database: Data) -> None:
    database["characters"].insert_one(full_character())
    characters = CharacterRepository(database)
    long = "x" * 400

    for add, place in (
        (lambda: characters.add_to_gallery(CHARACTER, "swapped_faces", long, NOW), "swapped_faces"),
        (lambda: characters.set_age_variant(CHARACTER, 45, long, NOW), "age_variants"),
        (lambda: characters.add_history(CHARACTER, entry(1), NOW), HISTORY),
    ):
        with pytest.raises(CharacterTooLarge, match=f"'{CHARACTER}' has no room .* in {place},"):
            add()
    assert {HISTORY, GALLERY} & stored(database).keys() == set()


WRONG_TYPES: list[tuple[dict[str, Any], str]] = [
    ({HISTORY: "none"}, HISTORY),
    ({GALLERY: []}, GALLERY),
    ({GALLERY: {"age_variants": []}}, "age_variants"),
    ({GALLERY: {"swapped_faces": {}}}, "swapped_faces"),
    ({"reference_images": "face.png"}, "reference_images"),
]


@pytest.mark.parametrize(("fields", "name"), WRONG_TYPES)
def test_a_character_with_a_field_of_a_wrong_type_is_refused_by_name(
    database: Data, fields: dict[str, Any], name: str
) -> None:
    database["characters"].insert_one({**character(), **fields})

    with pytest.raises(BrokenCharacter, match=name):
        CharacterRepository(database).find(CHARACTER)


@pytest.mark.parametrize("document", [*DOUBLED["characters"], *INSIDE])
def test_a_character_with_a_field_twice_is_refused_before_mongodb_aborts(
    database: Data, document: RawBSONDocument
) -> None:
    database["characters"].insert_one(document)

    with pytest.raises(BrokenCharacter, match="the same field twice"):
        CharacterRepository(database).find(document["id"])


def test_what_is_owed_to_a_character_with_a_field_twice_stays_pending(database: Data) -> None:
    doubled = [*DOUBLED["characters"], *INSIDE]
    database["characters"].insert_many([*doubled, character()])
    owed = [effect for each in doubled for effect in effects("key-1", each["id"])]
    database["facefusion_operations"].insert_one(
        record(effects=[*owed, *effects("key-1")]).model_dump(by_alias=True)
    )

    report = audit(database, NOW, fix=True)

    assert ("facefusion_operations", "entries with effects that cannot be applied") in (
        found(report, "owed effect")
    )
    assert pending(database) == len(owed)
    assert stored(database)[GALLERY]["age_variants"] == {"45": "out.png"}
    with pytest.raises(BrokenCharacter, match="the same field twice"):
        record_failure(database, "history-twice", entry(1), NOW)


def test_a_missing_or_deleted_character_is_unknown(database: Data) -> None:
    database["characters"].insert_one(character(id="gone", deleted_at=NOW))

    for character_id in (CHARACTER, "gone"):
        with pytest.raises(UnknownCharacter, match=character_id):
            CharacterRepository(database).find(character_id)


def test_a_failure_is_a_single_history_entry_whatever_the_number_of_tries(database: Data) -> None:
    database["characters"].insert_one(character())
    failed = entry(1).model_copy(
        update={"success": False, "output_image_url": "", "error_message": "No face."}
    )

    for _ in range(3):
        record_failure(database, CHARACTER, failed, NOW)

    (written,) = stored(database)[HISTORY]
    assert written["success"] is False
    assert written["output_image_url"] == ""


MADE = [
    ("key-1", "enhance", "restored"),
    ("key-2", "swap", "swapped"),
    ("key-3", "swap", "restored"),
    ("key-4", "age_adjust", "aged"),
    ("key-5", "enhance", "a"),  # its own input
    ("key-6", "detect", None),
    *((f"other-{number}", "enhance", f"other-{number}") for number in range(50)),
]


def test_what_made_a_picture_is_found_by_its_pixels_in_one_indexed_question(
    database: Data,
) -> None:
    initialise(database)
    ledger = OperationLedger(database)
    for key, operation, sha256 in MADE:
        made = output().model_copy(update={"sha256": sha256}) if sha256 else None
        ledger.complete(record(key, operation_type=operation, output=made, effects=[]))

    database.command("profile", 2)
    found = ledger.made_by(["restored", "swapped", "aged", "a", "new"], ["enhance", "swap"])
    database.command("profile", 0)

    plans = [row["planSummary"] for row in database["system.profile"].find({"op": "query"})]
    database.drop_collection("system.profile")
    assert found == {"restored": {"enhance", "swap"}, "swapped": {"swap"}}
    assert plans == ["IXSCAN { output.sha256: 1 }"]
