"""Civitai's items are stored once, written only when they differ, and none keeps others out."""

from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from db.catalog.bulk import LARGEST
from db.catalog.civitai.item_writes import StoredItem
from db.catalog.civitai.items import UpsertCounts, upsert_items
from db.schema.documents.models import CivitaiModel
from tests.support.catalog.catalog_rows import MONDAY, SHA256, TUESDAY, Data, stored
from tests.support.db.migrating import raw_documents
from tests.support.db.odd_documents import insert, raw

PONY = 257749


def item(id_: int = PONY, content: str = "1", /, **fields: Any) -> StoredItem:
    file = {"name": "pony_v6.safetensors", "type": "Model", "hashes": {"SHA256": SHA256}}
    document = {
        "id": id_,
        "name": "Pony Diffusion V6 XL",
        "type": "Checkpoint",
        "description": None,
        "tags": ["base model"],
        "stats": {"downloadCount": 753794},
        "modelVersions": [{"id": 290640, "name": "V6", "baseModel": "Pony", "files": [file]}],
        "base_models": ["Pony"],
        "file_keys": ["pony_v6.safetensors"],
        "name_keys": ["pony v 6"],
    }
    return StoredItem(id_, document | fields, content)


def upsert(data: Data, *items: StoredItem, import_id: str = "first") -> UpsertCounts:
    return upsert_items(data, items, MONDAY if import_id == "first" else TUESDAY, import_id)


def test_an_item_is_stored_as_it_is_with_its_marks(data: Data) -> None:
    assert upsert(data, item()) == UpsertCounts(new=1)

    found = stored(data, "civitai_models")[PONY]
    CivitaiModel.model_validate(found)
    assert found == {
        "_id": PONY,
        **item().document,
        "content_hash": "1",
        "_imported_at": MONDAY,
        "_import_id": "first",
    }


def test_an_unchanged_item_is_not_written(data: Data) -> None:
    upsert(data, item())
    before = stored(data, "civitai_models")

    assert upsert(data, item(name="unseen"), import_id="second") == UpsertCounts(unchanged=1)
    assert stored(data, "civitai_models") == before


def test_statistics_follow_and_are_no_change(data: Data) -> None:
    versions = [{"id": 1, "stats": {"downloadCount": 1}}, {"id": 2}, {"id": 3, "stats": {"a": 1}}]
    upsert(data, item(stats={"downloadCount": 1}, modelVersions=versions))
    before = stored(data, "civitai_models")[PONY]
    now = [{"id": 1, "stats": {"downloadCount": 7, "a.b": 2}}, {"id": 2}, versions[2]]
    same = item(stats={"downloadCount": 9, "$x": 1}, modelVersions=now)

    done = upsert(data, same, import_id="second")

    after = stored(data, "civitai_models")[PONY]
    assert done == UpsertCounts(unchanged=1)
    assert after == before | {"stats": same.document["stats"], "modelVersions": now}


def test_statistics_that_mongodb_cannot_hold_are_refused_alone(data: Data) -> None:
    upsert(data, item(), item(2))

    done = upsert(data, item(stats={"downloadCount": 2**64}), item(2, stats={"downloadCount": 2}))

    assert (done.unchanged, [id_ for id_, _ in done.failed]) == (1, [PONY])
    assert stored(data, "civitai_models")[2]["stats"] == {"downloadCount": 2}


@pytest.mark.parametrize("is_known", [False, True])
def test_an_id_that_comes_twice_in_one_list_is_one_change(data: Data, is_known: bool) -> None:
    if is_known:
        upsert(data, item(PONY, "0"), import_id="before")

    pages = [
        upsert_items(data, [item(PONY, content)], MONDAY, "now", is_one_list=True)
        for content in "123"
    ]

    assert sum(page.new for page in pages) == 1 - is_known
    assert sum(page.changed for page in pages) == is_known
    assert sum(page.unchanged for page in pages) == 2
    assert stored(data, "civitai_models")[PONY]["content_hash"] == "3"


def test_a_changed_item_takes_the_place_of_the_former_one(data: Data) -> None:
    upsert(data, item(mode="Archived", creator={"username": "a", "image": "b"}))

    done = upsert(data, item(PONY, "2", creator={"username": "c"}), import_id="second")

    found = stored(data, "civitai_models")[PONY]
    assert done == UpsertCounts(changed=1)
    assert "mode" not in found
    assert found["creator"] == {"username": "c"}
    assert found["_import_id"] == "second"


def test_fields_of_others_stay(data: Data) -> None:
    upsert(data, item())
    data["civitai_models"].update_one({"id": PONY}, {"$set": {"link": {"to": ["box"]}}})

    upsert(data, item(PONY, "2"))

    assert stored(data, "civitai_models")[PONY]["link"] == {"to": ["box"]}


def test_a_document_of_another_import_is_taken_over(data: Data) -> None:
    raw = {"id": PONY, "name": "Old", "type": "Checkpoint", "model_versions": [], "_note": 1}
    data["civitai_models"].insert_one(dict(raw))

    assert upsert(data, item()) == UpsertCounts(changed=1)

    [found] = data["civitai_models"].find()
    assert (found["name"], found["_note"]) == ("Pony Diffusion V6 XL", 1)
    assert "model_versions" not in found


def test_names_with_dots_and_dollars_stay_names(data: Data) -> None:
    odd = {"a.b": {"$c": "$name"}, "$expr": {"$gt": ["$id", 1]}}

    upsert(data, item(PONY, "1", stats=odd, **odd))
    upsert(data, item(PONY, "2", stats=odd, **odd))

    found = stored(data, "civitai_models")[PONY]
    assert (found["stats"], {name: found[name] for name in odd}) == (odd, odd)


KEYS = [("_id", PONY), ("id", PONY), ("type", "LORA")]


def test_an_item_that_is_stored_with_a_field_twice_is_named_and_left(data: Data) -> None:
    twice = raw(*KEYS, ("name", "Old"), ("name", "Older"))
    insert(data, "civitai_models", twice)
    before = raw_documents(data)["civitai_models"]

    done = upsert(data, item(), item(2), item(PONY + 1))

    assert (done.new, [id_ for id_, _ in done.failed]) == (2, [PONY])
    assert "the same field twice" in done.failed[0][1]
    assert raw_documents(data)["civitai_models"][1] == before[0]


DEEP = raw(("id", 1), ("files", [raw(("hashes", raw(("SHA256", "A"), ("SHA256", "B"))))]))
OWNER = {"username": "c"}


@pytest.mark.parametrize("dotted", [{}, {"a.b": 1}], ids=["plain", "dotted name"])
@pytest.mark.parametrize(
    ("name", "inside"),
    [("modelVersions", [DEEP]), ("creator", raw(("username", "a"), ("username", "b")))],
    ids=["in a version's file", "in its creator"],
)
def test_a_field_twice_inside_of_a_stored_item_is_replaced(
    data: Data, name: str, inside: object, dotted: dict[str, Any]
) -> None:
    new = item(creator=OWNER, **dotted)
    fields = {"_id": PONY, "_note": 1, **new.document, name: inside}
    insert(data, "civitai_models", raw(*fields.items()))

    done = upsert(data, new)

    assert done == UpsertCounts(changed=1)
    found = stored(data, "civitai_models")[PONY]
    assert {field: found[field] for field in new.document} == new.document
    assert found["_note"] == 1
    assert upsert(data, new) == UpsertCounts(unchanged=1)


def test_of_the_same_item_twice_the_last_counts(data: Data) -> None:
    done = upsert(data, item(PONY, "1", name="First"), item(PONY, "2", name="Last"))

    assert done == UpsertCounts(new=1, unchanged=1)
    assert stored(data, "civitai_models")[PONY]["name"] == "Last"


BAD: dict[str, tuple[StoredItem, str]] = {
    "no name": (item(1, name=None), "the collection's validator"),
    "beyond int64": (item(1, stats={"downloadCount": 2**64}), "OverflowError"),
    "id beyond int64": (item(2**64), "OverflowError"),
    "broken letters": (item(1, description="\ud800"), "UnicodeEncodeError"),
    "NUL in a name": (item(1, stats={"a\0b": 1}), "InvalidDocument"),
    "too large": (item(1, description="x" * (LARGEST + 1)), "bytes"),
    "a language that is none": (item(1, language="klingon"), "error 17262"),
}


@pytest.mark.parametrize(("bad", "reason"), BAD.values(), ids=BAD)
def test_what_cannot_be_stored_is_refused_alone(data: Data, bad: StoredItem, reason: str) -> None:
    done = upsert(data, item(5), bad, item(6))

    assert [*stored(data, "civitai_models")] == [5, 6]
    assert done.new == 2
    [(id_, said)] = done.failed
    assert id_ == bad.id
    assert reason in said
    assert said.endswith(".")


def test_a_bad_item_that_was_good_stays_as_it_was(data: Data) -> None:
    upsert(data, item())
    before = stored(data, "civitai_models")

    done = upsert(data, item(PONY, "2", type=None))

    assert [id_ for id_, _ in done.failed] == [PONY]
    assert stored(data, "civitai_models") == before


def test_two_imports_at_once_store_each_item_once(data: Data) -> None:
    items = [item(number) for number in range(1, 301)]

    with ThreadPoolExecutor(4) as pool:
        done = [*pool.map(lambda _: upsert(data, *items), range(4))]

    assert [*stored(data, "civitai_models")] == [row.id for row in items]
    assert data["civitai_models"].count_documents({}) == 300
    assert [result.failed for result in done] == [()] * 4


def test_no_items_are_no_work(data: Data) -> None:
    assert upsert(data) == UpsertCounts()
