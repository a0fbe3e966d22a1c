"""Saving presets: one of a name, whatever runs at the same moment, and the list of them."""

from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier
from typing import Any

import pytest

from db.errors import PresetNameTaken, ValueTaken
from db.preset_reports import MAX_LISTED, PresetQuery, PresetValues, SavedPreset
from db.presets import PresetRepository, listing
from db.schema.documents.faces import StoredPreset
from db.setup.apply import initialise
from db.soft_delete.repository import SoftDeletableRepository
from tests.support.db.database_state import Data
from tests.support.db.records import NOW

HOSTILE = (".*", "$where", "^soft", "a|b", "\0", "(?i)x", "[", "\\", "{$gt: 1}", "%", "'; drop")
LATER = NOW + timedelta(days=1)


def values(name: str = "soft", **fields: Any) -> PresetValues:
    blend = {"face_enhancer_blend": 0.7}
    return PresetValues.model_validate(
        {"name": name, "operation_type": "enhance", "parameters": blend, **fields}
    )


def save(
    database: Data,
    what: PresetValues,
    new_id: str = "new",
    now: datetime = NOW,
    *,
    replace: bool = False,
) -> SavedPreset:
    return PresetRepository(database).save(what, new_id, now, replace=replace)


def stored(database: Data) -> list[dict[str, Any]]:
    return [*database["facefusion_presets"].find({}, {"_id": False}).sort("id", 1)]


def written_by_app(database: Data, *presets: dict[str, Any]) -> None:
    usual = {"operation_type": "enhance", "parameters": {}}
    database["facefusion_presets"].insert_many([{**usual, **preset} for preset in presets])


@pytest.mark.parametrize("given", [{}, {"description": "x", "is_public": True, "user_id": "ann"}])
def test_a_saved_preset_passes_the_validator_of_its_collection(
    data: Data, given: dict[str, Any]
) -> None:
    save(data, values(**given), "p")

    (found,) = stored(data)
    read = StoredPreset.model_validate(found)
    assert (read.id, read.use_count, read.deleted_at) == ("p", 0, None)
    assert found["created_at"] == found["updated_at"]
    assert found["parameters"] == {"face_enhancer_blend": 0.7}
    assert {name: found[name] for name in given} == given


@pytest.mark.parametrize("name", ["soft", "SOFT", "Soft"])
@pytest.mark.parametrize("deleted", [False, True])
def test_a_name_is_taken_in_any_case_until_its_preset_is_deleted(
    database: Data, name: str, *, deleted: bool
) -> None:
    written_by_app(database, {"id": "p", "name": "Soft", "deleted_at": NOW if deleted else None})

    if deleted:
        assert save(database, values(name)).before is None
        return
    with pytest.raises(PresetNameTaken, match=f"'{name}' is taken by the preset 'Soft' .enhance"):
        save(database, values(name))
    assert len(stored(database)) == 1


def test_a_replaced_preset_keeps_id_creation_and_count(database: Data) -> None:
    written_by_app(
        database,
        {"id": "p", "name": "Soft", "created_at": NOW, "use_count": 7, "parameters": {"a": 1}},
    )

    saved = save(database, values("soft"), now=LATER, replace=True)

    (found,) = stored(database)
    assert saved.before == {"name": "Soft", "operation_type": "enhance", "parameters": {"a": 1}}
    assert (saved.id, found["id"], found["name"], found["use_count"]) == ("p", "p", "soft", 7)
    assert found["parameters"] == {"face_enhancer_blend": 0.7}
    assert (found["created_at"], found["updated_at"]) == tuple(
        time.replace(tzinfo=found["created_at"].tzinfo) for time in (NOW, LATER)
    )


def test_values_are_stored_as_they_are_written(database: Data) -> None:
    hostile = {"steps": [{"name": "a", "x": "$name"}], "note": "$$ROOT"}
    save(database, values(parameters={}), "p")
    save(database, values(parameters=hostile, description="$name"), replace=True)

    (found,) = stored(database)
    assert (found["parameters"], found["description"]) == (hostile, "$name")


@pytest.mark.parametrize(
    ("there", "user_id", "sentence"),
    [
        ([{"id": "p", "user_id": "ann"}], None, "of the user 'ann'; name that user_id"),
        ([{"id": "p", "user_id": "ann"}], "bob", "of the user 'ann'; name that user_id"),
        ([{"id": "p"}, {"id": "q"}], None, "Several presets have the name 'soft': .* id p.* id q"),
        ([{"id": "p", "user_id": "a"}, {"id": "q", "user_id": "b"}], "c", "Several presets"),
    ],
)
def test_what_is_another_users_or_not_clear_is_not_replaced(
    database: Data, there: list[dict[str, Any]], user_id: str | None, sentence: str
) -> None:
    written_by_app(database, *({"name": "Soft", **preset} for preset in there))
    before = stored(database)

    with pytest.raises(PresetNameTaken, match=sentence):
        save(database, values(user_id=user_id), replace=True)

    assert stored(database) == before


def test_of_several_presets_of_a_name_a_users_own_is_replaced(database: Data) -> None:
    written_by_app(
        database, {"id": "p", "name": "soft"}, {"id": "q", "name": "Soft", "user_id": "ann"}
    )

    assert save(database, values(user_id="ann"), replace=True).id == "q"


@pytest.mark.parametrize("replace", [False, True])
@pytest.mark.parametrize("prepared", [False, True])
def test_of_runs_at_the_same_moment_one_creates_the_preset(
    any_database: Data, *, replace: bool, prepared: bool
) -> None:
    if prepared:
        initialise(any_database)
    names = ["soft", "Soft", "SOFT", "sOFT"] * 2
    together = Barrier(len(names))

    def one(number: int) -> SavedPreset | PresetNameTaken:
        together.wait(30)
        try:
            return save(any_database, values(names[number]), f"id {number}", replace=replace)
        except PresetNameTaken as error:
            return error

    with ThreadPoolExecutor(len(names)) as pool:
        ended = [*pool.map(one, range(len(names)))]

    created = [end for end in ended if isinstance(end, SavedPreset) and end.before is None]
    (found,) = stored(any_database)
    assert [end.id for end in created] == [found["id"]]
    refused = [end for end in ended if isinstance(end, PresetNameTaken)]
    assert len(refused) == (0 if replace else len(names) - 1)


def test_a_repetition_of_the_same_run_finds_what_it_saved(database: Data) -> None:
    first = save(database, values(), "run")

    assert save(database, values(), "run", LATER) == first
    assert len(stored(database)) == 1


def test_the_index_stands_beside_presets_of_the_app_that_share_a_name(database: Data) -> None:
    written_by_app(database, {"id": "p", "name": "twin"}, {"id": "q", "name": "Twin"})

    report = initialise(database)
    save(database, values())

    assert report.blocked == ()
    assert initialise(database, dry_run=True).changed == ()


def test_a_deleted_preset_does_not_come_back_beside_another_of_its_name(database: Data) -> None:
    presets = SoftDeletableRepository(database, "facefusion_presets")
    save(database, values(), "p")
    presets.soft_delete("p", None, NOW)
    save(database, values("SOFT"), "q")

    with pytest.raises(ValueTaken, match="name 'soft'"):
        presets.restore("p")


def listed(database: Data, **asked: Any) -> list[str]:
    found = PresetRepository(database).listed(PresetQuery(**asked))
    return [preset.id for preset in found.presets]


def test_a_list_begins_with_the_most_used_and_shows_no_deleted_ones(database: Data) -> None:
    counts = {"a": 2, "b": 30, "c": None, "d": "many", "e": 4.0}
    written_by_app(
        database,
        *({"id": name, "name": name, "use_count": count} for name, count in counts.items()),
        {"id": "gone", "name": "gone", "use_count": 99, "deleted_at": NOW},
    )

    assert listed(database) == ["b", "e", "a", "c", "d"]


@pytest.mark.parametrize(
    ("user_id", "shown"), [(None, ["none", "pub"]), ("ann", ["mine", "none", "pub"])]
)
def test_private_presets_are_listed_for_their_user_only(
    database: Data, user_id: str | None, shown: list[str]
) -> None:
    written_by_app(
        database,
        {"id": "none", "name": "a"},
        {"id": "pub", "name": "b", "user_id": "bob", "is_public": True},
        {"id": "mine", "name": "c", "user_id": "ann"},
        {"id": "bobs", "name": "d", "user_id": "bob", "is_public": False},
    )

    assert sorted(listed(database, user_id=user_id)) == shown


@pytest.mark.parametrize("text", [*HOSTILE, "SOFT", "ÄRGER"])
def test_a_text_is_looked_for_as_it_is_written_in_any_case(database: Data, text: str) -> None:
    written_by_app(
        database,
        {"id": "other", "name": "other", "description": "nothing"},
        {"id": "by name", "name": f"x{text.lower()}y"},
        {"id": "by text", "name": "b", "description": f"x {text.lower()} y"},
    )

    assert sorted(listed(database, text=text)) == ["by name", "by text"]


def test_nothing_found_tells_what_there_is_by_type(database: Data) -> None:
    written_by_app(
        database,
        {"id": "a", "name": "a"},
        {"id": "b", "name": "b"},
        {"id": "c", "name": "c", "operation_type": "chain"},
        {"id": "d", "name": "d", "operation_type": "swap", "user_id": "ann"},
    )

    found = PresetRepository(database).listed(PresetQuery(operation_type="swap", text="x"))

    assert found.types == {"enhance": 2, "chain": 1}
    assert "no preset for swap with 'x' in name or description" in found.summary()
    assert "There are: 2 for enhance, 1 for chain." in found.summary()


def test_a_preset_whose_fields_are_of_wrong_types_is_listed_all_the_same(database: Data) -> None:
    written_by_app(database, {"name": 7, "parameters": "x", "last_used_at": "soon", "is_public": 1})

    found = PresetRepository(database).listed(PresetQuery())

    (preset,) = found.presets
    assert (preset.name, preset.values, preset.last_used, preset.public) == (
        "7",
        "no values",
        "",
        False,
    )


def winning_plans(explained: object) -> list[Any]:
    """The plans that the server chose, wherever its version writes them."""
    if isinstance(explained, list):
        return [plan for part in explained for plan in winning_plans(part)]
    if not isinstance(explained, dict):
        return []
    if "winningPlan" in explained:
        return [explained["winningPlan"]]
    return winning_plans([*explained.values()])


@pytest.mark.parametrize(
    "asked", [{}, {"text": "n 7"}, {"user_id": "ann"}, {"text": "n 7", "user_id": "ann"}]
)
def test_a_list_of_a_type_among_ten_thousand_uses_the_index_on_type_and_is_public(
    database: Data, asked: dict[str, str]
) -> None:
    initialise(database)
    kinds = ("enhance", "swap", "edit", "chain")
    written_by_app(
        database,
        *(
            {
                "id": str(number),
                "name": f"n {number}",
                "operation_type": kinds[number % 4],
                "user_id": None if number % 5 else "bob",
                "is_public": number % 3 == 0,
                "use_count": number % 100,
                "last_used_at": datetime(2026, 1, 1, tzinfo=UTC),
            }
            for number in range(10_000)
        ),
    )
    wanted = PresetQuery(operation_type="swap", **asked)
    read = {"aggregate": "facefusion_presets", "pipeline": listing(wanted), "cursor": {}}

    plan = str(winning_plans(database.command("explain", read, verbosity="queryPlanner")))
    found = PresetRepository(database).listed(wanted)

    assert "operation_type_1_is_public_1" in plan
    assert "COLLSCAN" not in plan
    assert "deleted_at_1" not in plan
    assert len(found.presets) == min(found.count, MAX_LISTED)
    if found.count > MAX_LISTED:
        assert f"The {MAX_LISTED} most used of {found.count} presets" in found.summary()
