"""What the validators accept and refuse, on a real server with the action `error`."""

from typing import Any
from uuid import uuid4

import pytest
from pymongo.errors import DuplicateKeyError, WriteError

from db.schema.collections import COLLECTIONS, Collection
from db.schema.documents.faces import FacefusionJob
from db.schema.indexes import NOT_DELETED, WITHOUT_CASE, Index
from db.setup.apply import initialise
from db.setup.compare import find_duplicates
from tests.support.db.database_state import Data
from tests.support.db.records import character
from tests.support.db.stored_documents import DOCUMENTS, INVALID, NOW, SMALLEST, VALID

every_collection = pytest.mark.parametrize(
    "collection",
    [collection for collection in COLLECTIONS if not collection.app_owned],
    ids=lambda collection: collection.name,
)


@every_collection
def test_required_fields_are_enough_and_so_is_the_written_model(
    data: Data, collection: Collection
) -> None:
    smallest, documents = SMALLEST[collection.name], data[collection.name]
    assert documents.insert_one(dict(smallest)).acknowledged
    documents.delete_many({})

    written = collection.document.model_validate(smallest).model_dump(by_alias=True)

    assert documents.insert_one(written).acknowledged


@every_collection
def test_each_required_field_is_required(data: Data, collection: Collection) -> None:
    fields = collection.document.model_fields.items()
    required = {info.alias or name for name, info in fields if info.is_required()} - {"_id"}

    for missing in required:
        lacking = {k: v for k, v in SMALLEST[collection.name].items() if k != missing}
        with pytest.raises(WriteError, match="failed validation"):
            data[collection.name].insert_one(lacking)


@pytest.mark.parametrize(("name", "changed"), VALID)
def test_a_valid_document_is_accepted(data: Data, name: str, changed: dict[str, Any]) -> None:
    document = SMALLEST[name] | changed

    DOCUMENTS[name].model_validate(document)
    assert data[name].insert_one(document).acknowledged


@pytest.mark.parametrize(("name", "changed"), INVALID)
def test_an_invalid_document_is_refused(data: Data, name: str, changed: dict[str, Any]) -> None:
    with pytest.raises(WriteError, match="failed validation"):
        data[name].insert_one(SMALLEST[name] | changed)


def test_a_document_that_was_invalid_before_can_still_be_changed(data: Data) -> None:
    data.command("collMod", "characters", validationLevel="off")
    data["characters"].insert_one(character())
    initialise(data, "error")

    updated = data["characters"].update_one({}, {"$set": {"description": "The hero."}})

    assert updated.modified_count == 1


def test_invalid_documents_only_cause_a_warning_by_default(database: Data) -> None:
    initialise(database)

    assert database["projects"].insert_one({"id": 7}).acknowledged


@pytest.mark.parametrize(
    ("name", "field"), [("users", "username"), ("users", "email"), ("comfyui_servers", "url")]
)
def test_a_value_is_free_again_once_its_holder_is_deleted(
    data: Data, name: str, field: str
) -> None:
    others = {"username": "Other", "email": "other@example.org", "url": "http://127.0.0.1:2"}
    first = SMALLEST[name] | {"id": "first"}
    second = SMALLEST[name] | others | {"id": "second", field: first[field]}
    data[name].insert_one(first)
    with pytest.raises(DuplicateKeyError):
        data[name].insert_one(dict(second))

    data[name].update_one({"id": "first"}, {"$set": {"deleted_at": NOW}})

    assert data[name].insert_one(second).acknowledged


TWO_NAMES = [("user2x", "user\N{SUPERSCRIPT TWO}x"), ("bobby", "bobby\N{ZERO WIDTH SPACE}")]


@pytest.mark.parametrize("names", [*TWO_NAMES, ("mira", "Mira")], ids=str)
def test_what_the_app_takes_for_two_user_names_is_two(data: Data, names: tuple[str, str]) -> None:
    for name in names:
        user = {"id": name, "username": name, "email": f"{name}@example.org"}
        assert data["users"].insert_one(SMALLEST["users"] | user).acknowledged


def test_a_job_without_a_type_is_a_batch() -> None:
    assert FacefusionJob.model_validate(SMALLEST["facefusion_jobs"]).job_type == "batch"


UNIQUE: list[tuple[Index, list[dict[str, Any]], list[int]]] = [
    (Index(("id",), unique=True), [{"id": 1}, {"id": 1.0}, {"id": 2}], [2]),
    (Index(("id",), unique=True), [{}, {"id": None}, {"id": 0}], [2]),
    (Index(("a", "b"), unique=True), [{"a": 1}, {"a": 1}, {"a": 1, "b": 1}], [2]),
    (Index(("a.b",), unique=True), [{"a": {"b": 1}}, {"a": {"b": 1}}], [2]),
    (Index(("id",), unique=True, sparse=True), [{}, {}, {"id": 1}], []),
    (Index(("id",), unique=True, sparse=True), [{"id": None}, {"id": None}], [2]),
    (Index(("id",), unique=True), [{"id": "a"}, {"id": "A"}], []),
    (Index(("id",), unique=True, collation=WITHOUT_CASE), [{"id": "a"}, {"id": "A"}], [2]),
    (
        Index(("id",), unique=True),
        [{"id": ["a", "b"]}, {"id": ["b", "c"]}, {"id": ["d", "d"]}],
        [2],
    ),
    (Index(("id",), unique=True), [{"id": []}, {"id": []}, {"id": [None]}], [2]),
    (Index(("a", "b"), unique=True), [{"a": [1, 2], "b": 3}, {"a": 2, "b": 3}, {"a": 1}], [2]),
    (
        Index(("id",), unique=True, partial=NOT_DELETED),
        [{"id": 1}, {"id": 1, "deleted_at": NOW}, {"id": 1, "deleted_at": NOW}],
        [],
    ),
]


@pytest.mark.parametrize(("index", "documents", "expected"), UNIQUE)
def test_duplicates_are_what_the_index_would_refuse(
    data: Data, index: Index, documents: list[dict[str, Any]], expected: list[int]
) -> None:
    things = data[f"things_{uuid4().hex}"]
    things.insert_many([dict(document) for document in documents])

    _, found = find_duplicates(things, index)

    assert [duplicates.count for duplicates in found] == expected
    if expected:
        with pytest.raises(DuplicateKeyError):
            things.create_index(index.keys, **index.creation)
    else:
        assert things.create_index(index.keys, **index.creation) == index.name
    things.drop()
