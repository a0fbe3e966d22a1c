"""Characters are found by parts of names and by projects, through an index, whatever is stored."""

from collections.abc import Iterator
from typing import Any

import pytest

from db.character_search import search
from db.character_search.found import CharacterQuery, CharactersFound
from db.character_search.names import character_called
from db.character_search.search import Reading, find_characters
from db.characters import CharacterRepository
from db.errors import AmbiguousCharacter, UnknownCharacter
from db.setup.apply import initialise
from tests.support.db.database_state import Data
from tests.support.db.fixtures import empty_database
from tests.support.db.records import NOW

CHARACTERS: list[dict[str, Any]] = [
    {"id": "c1", "project_id": "p1", "name": "Mara", "reference_images": ["a.png", "b.png"]},
    {"id": "c2", "project_id": "p2", "name": "mara"},
    {"id": "c3", "project_id": "p2", "name": "Tamara (old)"},
    {"id": "c4", "project_id": "p1", "name": "Ömer"},
    {"id": "c5", "project_id": "p1", "name": "Mara", "deleted_at": NOW},
    {"id": "c6", "project_id": "gone", "name": "Zed"},
    {"id": "c7", "name": "Loner"},
    {"id": "Zed", "project_id": "p1", "name": "Named as another's id"},
]
GALLERY = {
    "facefusion_output_gallery": {
        "enhanced_faces": ["1", "2"],
        "swapped_faces": None,
        "age_variants": {"12": "3", "45": "4"},
    }
}


@pytest.fixture(scope="module")
def made(replica_set: Data) -> Iterator[Data]:
    with empty_database(replica_set) as database:
        database["projects"].insert_many(
            [{"id": "p1", "name": "Night Train"}, {"id": "p2", "name": "Day Train"}]
        )
        database["characters"].insert_many([CHARACTERS[0] | GALLERY, *CHARACTERS[1:]])
        initialise(database)
        yield database


def ids(found: CharactersFound) -> list[str]:
    return [each.id for each in found.characters]


@pytest.mark.parametrize(
    ("text", "project", "expected"),
    [
        (None, None, ["c7", "c1", "c2", "Zed", "c3", "c6", "c4"]),
        ("LONE", None, ["c7"]),
        ("MARA", None, ["c1", "c2", "c3"]),
        ("(old)", None, ["c3"]),
        (".*", None, []),
        ("öMER", None, ["c4"]),
        (None, "p2", ["c2", "c3"]),
        (None, "night", ["c1", "Zed", "c4"]),
        ("mar", "train", ["c1", "c2", "c3"]),
        (None, "gone", ["c6"]),
        ("\0", None, []),
    ],
)
def test_characters_are_found_by_part_of_a_name_or_project_in_any_case(
    made: Data, text: str | None, project: str | None, expected: list[str]
) -> None:
    assert ids(find_characters(made, CharacterQuery(text=text, project=project))) == expected


def test_a_character_is_shown_with_picture_project_and_counts(made: Data) -> None:
    [found] = find_characters(made, CharacterQuery(text="Mara", project="Night Train")).characters

    shown = (found.picture, found.project, found.references, found.results)
    assert shown == ("a.png", "Night Train", 2, 4)


def test_a_project_that_is_not_there_is_told(made: Data) -> None:
    found = find_characters(made, CharacterQuery(project="tram"))

    assert found.summary() == "There is no project with 'tram' in its name, or as its id."


@pytest.mark.parametrize("wanted", [CharacterQuery(), CharacterQuery(text="a", project="p2")])
def test_a_list_ends_at_its_limit_and_tells_so(
    made: Data, monkeypatch: pytest.MonkeyPatch, wanted: CharacterQuery
) -> None:
    monkeypatch.setattr(search, "MAX_FOUND", 1)

    found = find_characters(made, wanted)

    assert (len(found.characters), found.more) == (1, True)


def test_documents_of_any_shape_are_listed(database: Data) -> None:
    odd: list[dict[str, Any]] = [
        {"id": "1", "name": "odd", "reference_images": None, "project_id": 7},
        {"id": "2", "name": "odd", "reference_images": [5], "facefusion_output_gallery": "no"},
        {"name": "odd", "facefusion_output_gallery": {"age_variants": []}},
        {"id": "4", "name": ["odd"]},
    ]
    database["characters"].insert_many(odd)

    assert len(find_characters(database, CharacterQuery(text="odd")).characters) == 4
    assert len(find_characters(database, CharacterQuery()).characters) == 4


@pytest.mark.parametrize(
    ("reading", "index"),
    [
        (Reading(None, None), "name_1"),
        (Reading(["Mara"], None), "name_1"),
        (Reading(["Mara"], ["p1"]), "project_id_1_name_1"),
    ],
)
def test_reading_characters_uses_an_index(made: Data, reading: Reading, index: str) -> None:
    command = {
        "aggregate": "characters",
        "pipeline": reading.stages,
        "cursor": {},
        "hint": reading.index.name,
        **reading.options,
    }

    plan = str(made.command("explain", command, verbosity="queryPlanner"))

    assert f"'indexName': '{index}'" in plan
    assert "COLLSCAN" not in plan


def test_names_are_looked_for_in_an_index_alone(made: Data) -> None:
    made.command("profile", 2)
    try:
        find_characters(made, CharacterQuery(text="tamara"))
    finally:
        made.command("profile", 0)

    seen = made["system.profile"].find({"ns": f"{made.name}.characters", "op": "query"})
    assert {each["planSummary"] for each in seen} == {"IXSCAN { project_id: 1, name: 1 }"}
    docs = made["system.profile"].aggregate(
        [
            {"$match": {"ns": f"{made.name}.characters"}},
            {"$group": {"_id": None, "read": {"$sum": "$docsExamined"}}},
        ]
    )
    assert [each["read"] for each in docs] == [1]


def test_a_name_is_taken_in_any_case(made: Data) -> None:
    assert CharacterRepository(made).find_named("ömer").id == "c4"


def test_an_id_goes_before_a_name(made: Data) -> None:
    assert CharacterRepository(made).find_named("Zed").id == "Zed"


def test_a_name_of_several_is_refused_with_ids_and_projects(made: Data) -> None:
    with pytest.raises(AmbiguousCharacter) as refused:
        CharacterRepository(made).find_named("MARA")

    assert str(refused.value) == (
        "2 characters have the name 'MARA': 'c1' of project 'Night Train' (p1); 'c2' of project "
        "'Day Train' (p2). Give the id of the one that is meant."
    )


@pytest.mark.parametrize("name", ["mar", "tamara", "c5", "", "a" * 200])
def test_a_part_of_a_name_is_no_name(made: Data, name: str) -> None:
    with pytest.raises(UnknownCharacter, match="find-characters lists"):
        CharacterRepository(made).find_named(name)


def test_a_name_is_looked_up_in_its_index(made: Data) -> None:
    made.command("profile", 2)
    try:
        character_called(made, "ömer")
    finally:
        made.command("profile", 0)

    [seen] = made["system.profile"].find(
        {"ns": f"{made.name}.characters", "command.filter.name": "ömer"}
    )
    assert seen["planSummary"] == "IXSCAN { name: 1 }"
