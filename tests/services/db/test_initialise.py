"""`init-db` brings a database in any state to the registry's and reports what it did."""

from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from db.audit.audit import audit
from db.schema.collections import COLLECTIONS, Collection
from db.setup import apply
from db.setup.apply import initialise
from db.setup.compare import IDS, MAX_EXAMPLES, Difference
from db.setup.missing import missing_collections
from db.setup.obstacles import unless_refused
from db.setup.report import Finding, InitReport, Outcome
from tests.support.db.database_state import (
    Data,
    as_in_reference,
    documents,
    identities,
    indexes_of,
    run_at_once,
    shape,
)
from tests.support.db.fixtures import empty_database
from tests.support.db.reference_indexes import REFERENCE

NO_CASE = {"locale": "en", "strength": 2}
CIVITAI_TEXT = (
    "name_text_modelVersions.name_text_tags_text_description_text_modelVersions.description_text"
)
PROJECTS = [{"_id": number, "id": "same", "name": f"Project {number}"} for number in range(3)]


@pytest.fixture(scope="module")
def initialised(replica_set: Data) -> Iterator[Data]:
    with empty_database(replica_set) as database:
        initialise(database)
        yield database


@pytest.fixture
def shared(initialised: Data) -> Iterator[Data]:
    """An initialised database, which is emptied and repaired after each test."""
    yield initialised
    initialised["projects"].delete_many({})
    initialise(initialised)


def ours() -> Iterator[Collection]:
    """The collections that the app does not have for itself."""
    return (collection for collection in COLLECTIONS if not collection.app_owned)


def outcomes(report: InitReport) -> set[Outcome]:
    return {finding.outcome for finding in report.findings}


def changes(report: InitReport) -> set[tuple[str, str, str]]:
    return {(finding.collection, finding.name, finding.outcome) for finding in report.changed}


def blocked(report: InitReport) -> Finding:
    [finding] = report.blocked
    return finding


def use_plain_index(database: Data) -> None:
    """Let `projects` hold documents of the same id."""
    database["projects"].drop_index("id_1")
    database["projects"].create_index("id")
    database["projects"].insert_many(PROJECTS)


def test_an_empty_database_gets_every_collection_index_and_validator(any_database: Data) -> None:
    assert outcomes(initialise(any_database, dry_run=True)) == {"created"}
    assert any_database.list_collection_names() == []

    report = initialise(any_database)

    assert as_in_reference(any_database) == REFERENCE
    assert outcomes(report) == {"created"}
    assert [finding.name for finding in report.findings if finding.kind == "validator"] == (
        ["validator"] * len(REFERENCE)
    )
    for _, options, _ in shape(any_database).values():
        assert options["validator"].keys() == {"$jsonSchema"}
        assert options["validationLevel"] == "moderate"
        assert options["validationAction"] == "warn"


def test_a_second_run_finds_everything_and_changes_nothing(shared: Data) -> None:
    before = shape(shared), identities(shared)

    report = initialise(shared)

    assert outcomes(report) == {"existing"}
    assert len(report.findings) == sum(2 + len(collection.indexes) for collection in ours())
    assert (shape(shared), identities(shared)) == before


def another_index(
    collection: str, index: str, keys: str | list[tuple[str, Any]], /, **options: Any
) -> Callable[[Data], None]:
    """Replace an index."""

    def damage(database: Data) -> None:
        database[collection].drop_index(index)
        database[collection].create_index(keys, **options)

    return damage


def change_options(collection: str, **options: Any) -> Callable[[Data], None]:
    return lambda database: database.command("collMod", collection, **options)


DAMAGES: dict[str, tuple[Callable[[Data], Any], tuple[str, str, Outcome]]] = {
    "a dropped index": (
        lambda database: database["clips"].drop_index("character_id_1"),
        ("clips", "character_id_1", "created"),
    ),
    "another validator": (
        change_options("projects", validator={"name": "x"}),
        ("projects", "validator", "repaired"),
    ),
    "no validator": (
        change_options("projects", validator={}),
        ("projects", "validator", "created"),
    ),
    "a validator that is switched off": (
        change_options("projects", validationLevel="off"),
        ("projects", "validator", "repaired"),
    ),
}
ANOTHER_INDEX: dict[str, tuple[str, str, Any, dict[str, Any]]] = {
    "a lost unique flag": ("scenes", "id_1", "id", {}),
    "another name": (
        *("characters", "project_id_1_name_1"),
        *([("project_id", 1), ("name", 1)], {"name": "x"}),
    ),
    "a unique index from before a deletion was among its fields": (
        *("comfyui_servers", "url_1_deleted_at_1", "url"),
        {"unique": True, "partialFilterExpression": {"deleted_at": None}},
    ),
    "a unique index that took letters for one": (
        *("users", "username_1_deleted_at_1", "username"),
        {"unique": True, "collation": NO_CASE, "partialFilterExpression": {"deleted_at": None}},
    ),
    "a unique index that is no longer sparse": (
        *("images", "legacy_id_1", "legacy_id", {"unique": True}),
    ),
    "an index that lets documents expire": (
        *("projects", "created_at_-1", [("created_at", -1)], {"expireAfterSeconds": 9}),
    ),
    "a text index without weights": ("civitai_models", CIVITAI_TEXT, [("name", "text")], {}),
}
DAMAGES |= {
    damage: (another_index(collection, index, keys, **options), (collection, index, "repaired"))
    for damage, (collection, index, keys, options) in ANOTHER_INDEX.items()
}


@pytest.mark.parametrize(("damage", "change"), DAMAGES.values(), ids=DAMAGES)
def test_every_damage_is_found_and_repaired(
    shared: Data, damage: Callable[[Data], Any], change: tuple[str, str, Outcome]
) -> None:
    before = shape(shared)
    damage(shared)

    report = initialise(shared)

    assert changes(report) == {change}
    assert shape(shared) == before


def test_a_dropped_collection_comes_back_with_all_that_belongs_to_it(shared: Data) -> None:
    before = shape(shared)
    shared.drop_collection("scenes")

    report = initialise(shared)

    assert {finding.collection for finding in report.changed} == {"scenes"}
    assert shape(shared) == before


def test_only_what_is_missing_is_created_where_nothing_else_is_asked_for(shared: Data) -> None:
    complete = shape(shared)
    shared.drop_collection("scenes")
    shared["clips"].drop_index("character_id_1")
    change_options("users", validator={})(shared)
    change_options("backends", validator={"name": "x"})(shared)
    another_index("projects", "name_1", "name", sparse=True)(shared)
    use_plain_index(shared)
    of_the_operator = shape(shared)["projects"], shape(shared)["backends"]
    before = shape(shared), identities(shared)

    foreseen = initialise(shared, only_missing=True, dry_run=True)
    assert (shape(shared), identities(shared)) == before
    report = initialise(shared, only_missing=True)

    assert foreseen.findings == report.findings
    assert {(found.collection, found.name) for found in report.changed} == {
        ("scenes", name) for name in {"scenes", "validator", *complete["scenes"][2]} - {"_id_"}
    } | {("clips", "character_id_1"), ("users", "validator")}
    assert {(found.collection, found.name) for found in report.of("different")} == {
        *(("projects", name) for name in ("name_1", "id_1")),
        ("backends", "validator"),
    }
    now = shape(shared)
    assert (now["projects"], now["backends"]) == of_the_operator
    assert {name: now[name] for name in ("scenes", "clips", "users")} == {
        name: complete[name] for name in ("scenes", "clips", "users")
    }
    assert documents(shared)["projects"]


def test_the_required_collections_that_are_missing_are_named(shared: Data) -> None:
    assert missing_collections(shared) == ()
    for name in ("users", "clips", "backends"):
        shared.drop_collection(name)

    assert missing_collections(shared) == ("clips", "users")


def test_a_dry_run_reports_what_a_run_does_and_writes_nothing(shared: Data) -> None:
    shared.drop_collection("scenes")
    shared["clips"].drop_index("id_1")
    before = shape(shared), identities(shared)

    foreseen = initialise(shared, dry_run=True)

    assert (shape(shared), identities(shared)) == before
    assert foreseen.findings == initialise(shared).findings
    assert "would be created" in foreseen.summary()


def test_duplicates_are_listed_and_nothing_is_dropped(shared: Data) -> None:
    use_plain_index(shared)
    before = shape(shared), documents(shared)

    for dry_run in (True, False):
        finding = blocked(initialise(shared, dry_run=dry_run))

        assert (finding.collection, finding.name) == ("projects", "id_1")
        assert finding.duplicate_groups == 1
        assert finding.duplicates[0].ids == ("0", "1", "2")
        assert "change all but one" in finding.reason
        assert (shape(shared), documents(shared)) == before
    shared["projects"].delete_many({})
    assert changes(initialise(shared)) == {("projects", "id_1", "repaired")}


def test_duplicates_in_a_collection_do_not_stop_the_others(
    database: Data,
) -> None:
    database["projects"].insert_many(PROJECTS)

    report = initialise(database)

    missing = {name: REFERENCE[name] - found for name, found in as_in_reference(database).items()}
    assert {name: indexes for name, indexes in missing.items() if indexes} == {"projects": {"id U"}}
    assert blocked(report).name == "id_1"


def test_the_list_of_duplicates_is_bounded_and_its_count_is_not(shared: Data) -> None:
    use_plain_index(shared)
    shared["projects"].insert_many({"id": str(n % 40), "name": "x"} for n in range(40 * 6))

    finding = blocked(initialise(shared))

    assert finding.duplicate_groups == 41
    assert len(finding.duplicates) == MAX_EXAMPLES
    assert {duplicates.count for duplicates in finding.duplicates} == {6}
    assert {len(duplicates.ids) for duplicates in finding.duplicates} == {IDS}


def test_an_index_that_cannot_be_made_leaves_the_old_index(
    shared: Data, monkeypatch: pytest.MonkeyPatch
) -> None:
    models = shared["civitai_models"]
    models.drop_index(CIVITAI_TEXT)
    models.create_index([("name", "text")], language_override="tongue")
    before = shape(shared)

    def look_before_it_is_added(collection: Any, difference: Difference) -> Difference:  # noqa: ANN401
        found = unless_refused(collection, difference)
        if difference.index and difference.index.weights and collection.name == models.name:
            models.insert_one({"name": "A", "type": "LORA", "id": 1, "language": "klingon"})
        return found

    monkeypatch.setattr(apply, "unless_refused", look_before_it_is_added)

    finding = blocked(initialise(shared))

    assert "MongoDB refused: error 17262" in finding.reason
    assert shape(shared) == before
    models.delete_many({})


OWN_TEXTS: list[Any] = [[("mood", "text")], [("owner", 1), ("name", "text")], [("$**", "text")]]


@pytest.mark.parametrize("keys", OWN_TEXTS, ids=str)
def test_another_text_index_is_kept_and_named(shared: Data, keys: list[tuple[str, Any]]) -> None:
    projects = shared["projects"]
    projects.drop_index("name_text_description_text")
    own = projects.create_index(keys)
    before = shape(shared)

    planned, done = (blocked(initialise(shared, dry_run=dry_run)) for dry_run in (True, False))

    assert planned == done
    assert f"{own} searches other fields; drop it" in done.reason
    assert shape(shared) == before
    projects.drop_index(own)


def test_projects_and_scenes_are_found_by_words_the_name_first(shared: Data) -> None:
    texts = [("a", "Rain", ""), ("b", "Sun", "rain and rain"), ("c", "Sun", "")]
    for name, words in (("projects", "description"), ("scenes", "lyrics")):
        stored = [{"id": id_, "project_id": "p", "name": n, words: t} for id_, n, t in texts]
        shared[name].insert_many(stored)
        score = {"score": {"$meta": "textScore"}}
        rain = shared[name].find({"$text": {"$search": "rain"}}, score).sort(score)
        assert [document["id"] for document in rain] == ["a", "b"]
    shared["scenes"].delete_many({})


def test_unknown_collections_and_indexes_are_named_and_left_alone(shared: Data) -> None:
    name = "model_id_1_configuration_type_1"
    shared["films"].insert_one({"_id": 1})
    shared["projects"].create_index("owner")
    configurations = shared["inference_configurations"]
    configurations.create_index(["model_id", "configuration_type"], unique=True)
    before = shape(shared), documents(shared)

    report = initialise(shared)

    unknown = {
        (finding.collection, finding.name): finding.reason for finding in report.of("unknown")
    }
    assert unknown.keys() == {
        ("films", "films"),
        ("projects", "owner_1"),
        ("inference_configurations", name),
    }
    assert "may refuse documents" in unknown["inference_configurations", name]
    assert (shape(shared), documents(shared)) == before
    shared.drop_collection("films")
    shared["projects"].drop_index("owner_1")
    configurations.drop_index(name)


def test_a_collection_of_the_app_alone_is_known_and_left_alone(shared: Data) -> None:
    shared["queue_jobs"].insert_one({"_id": 1, "anything": True})
    before = shape(shared)

    report = initialise(shared, "error")

    assert {
        (finding.name, finding.outcome)
        for finding in report.findings
        if finding.collection == "queue_jobs"
    } == {("queue_jobs", "existing")}
    assert "batch_jobs" not in {finding.collection for finding in report.findings}
    assert shape(shared)["queue_jobs"] == before["queue_jobs"]
    initialise(shared, "warn")
    shared.drop_collection("queue_jobs")


def actions(database: Data) -> dict[str, str]:
    return {
        stored["name"]: stored["options"]["validationAction"]
        for stored in database.list_collections()
    }


def test_what_validators_do_stays_as_it_is_unless_it_is_named(any_database: Data) -> None:
    initialise(any_database, "error")
    before = shape(any_database)

    assert outcomes(initialise(any_database, dry_run=True)) == {"existing"}
    assert outcomes(initialise(any_database)) == {"existing"}
    assert audit(any_database, datetime.now(UTC)).of("different index", "blocked index") == ()
    assert shape(any_database) == before
    any_database.drop_collection("scenes")
    any_database.command("collMod", "projects", validator={"name": "x"})
    assert changes(initialise(any_database)) >= {("projects", "validator", "repaired")}
    assert shape(any_database) == before

    assert len(initialise(any_database, "warn").changed) == len(before)
    assert {*actions(any_database).values()} == {"warn"}


def test_a_new_collection_warns_unless_all_others_refuse(database: Data) -> None:
    initialise(database)
    database.command("collMod", "projects", validationAction="error")
    database.drop_collection("scenes")

    initialise(database)

    assert {name for name, action in actions(database).items() if action == "error"} == {"projects"}


def test_a_view_in_the_place_of_a_collection_is_left_alone(shared: Data) -> None:
    shared.drop_collection("backends")
    shared.create_collection("backends", viewOn="comfyui_servers", pipeline=[])

    finding = blocked(initialise(shared))

    assert "A view has this name" in finding.reason
    assert "backends" not in shape(shared)
    shared.drop_collection("backends")


def test_a_collation_of_a_whole_collection_does_not_reach_our_indexes(shared: Data) -> None:
    shared.drop_collection("backends")
    shared.create_collection("backends", collation={"locale": "fr"})
    initialise(shared)

    assert outcomes(initialise(shared)) == {"existing"}
    assert all("collation" not in index for index in indexes_of(shared, "backends")[1:])
    shared.drop_collection("backends")


def damage_everything(database: Data) -> None:
    """Leave each collection with plain indexes of the right names, and no validator."""
    for collection in COLLECTIONS:
        database.drop_collection(collection.name)
        for index in collection.indexes:
            if not index.weights:
                database[collection.name].create_index(index.keys, name=index.name)


@pytest.mark.parametrize("damage", [lambda _: None, damage_everything], ids=["empty", "damaged"])
def test_runs_at_once_all_succeed(
    database: Data, mongo_url: str, damage: Callable[[Data], None]
) -> None:
    damage(database)

    reports = run_at_once(initialise, mongo_url, database.name, 3)

    assert [report.blocked for report in reports] == [()] * 3
    assert as_in_reference(database) == REFERENCE
    assert outcomes(initialise(database)) == {"existing"}
