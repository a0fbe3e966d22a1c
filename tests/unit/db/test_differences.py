"""What has to change is decided from the collection and the registry alone."""

from typing import Any

import pytest
from pydantic import BaseModel

from db.schema.collections import Collection
from db.schema.indexes import FoundIndex, Index
from db.setup.compare import FoundCollection, differences, validation
from db.setup.missing import leave_different
from db.setup.obstacles import limited


class Thing(BaseModel):
    id: str


WANTED = Index(("id",), unique=True)
THINGS = Collection("things", "Things.", Thing, (WANTED,))
GOOD = FoundIndex("id_1", (("id", 1),), {"unique": True})
PLAIN = FoundIndex("id_1", (("id", 1),), {})
RENAMED = FoundIndex("by_id", (("id", 1),), {"unique": True})
EXPIRING = FoundIndex("id_1", (("id", 1),), {"unique": True, "expireAfterSeconds": 9})
STRANGE = FoundIndex("size_1", (("size", 1),), {})
NAMESAKE = FoundIndex("id_1", (("size", 1),), {})

INDEXES: list[tuple[str, tuple[FoundIndex, ...], dict[str, str]]] = [
    ("there", (GOOD,), {"id_1": "existing"}),
    ("missing", (), {"id_1": "created"}),
    ("not unique", (PLAIN,), {"id_1": "repaired"}),
    ("another name", (RENAMED,), {"id_1": "repaired"}),
    ("an option too many", (EXPIRING,), {"id_1": "repaired"}),
    ("two wrong ones", (PLAIN, RENAMED), {"id_1": "repaired"}),
    ("a wrong one beside", (GOOD, RENAMED), {"id_1": "existing", "by_id": "unknown"}),
    ("a strange one", (GOOD, STRANGE), {"id_1": "existing", "size_1": "unknown"}),
]

BY_SIZE = Collection("things", "Things.", Thing, (WANTED, Index(("size",))))
SIZE_AS_ID = FoundIndex("id_1", (("size", 1),), {})
ID_AS_SIZE = FoundIndex("size_1", (("id", 1),), {"unique": True})
MISNAMED: list[tuple[str, tuple[FoundIndex, ...], dict[str, str]]] = [
    ("ours under our name", (SIZE_AS_ID,), {"id_1": "created", "size_1": "repaired"}),
    ("both swapped", (SIZE_AS_ID, ID_AS_SIZE), {"id_1": "repaired", "size_1": "repaired"}),
    (
        *("ours, there a second time", (SIZE_AS_ID, STRANGE)),
        {"id_1": "blocked", "size_1": "existing"},
    ),
]
"""Found are the indexes of the registry; what else is there is reported as unknown."""

VALIDATIONS: list[tuple[dict[str, Any], str, str]] = [
    ({}, "existing", ""),
    ({"validationAction": "error"}, "repaired", "It differs in validationAction."),
    ({"validationLevel": "off"}, "repaired", "It differs in validationLevel."),
    ({"validator": {"id": "x"}}, "repaired", "It differs in validator."),
    ({"validator": {}}, "created", ""),
]


def found(*indexes: FoundIndex, **changed: Any) -> FoundCollection:
    return FoundCollection("collection", validation(THINGS, "warn") | changed, indexes)


def outcomes(there: FoundCollection | None, kind: str) -> dict[str, str]:
    return {
        difference.finding.name: difference.finding.outcome
        for difference in differences(THINGS, there, "warn")
        if difference.finding.kind == kind
    }


def test_a_missing_collection_is_created_with_all_its_parts() -> None:
    made = [
        (difference.finding.kind, difference.finding.outcome)
        for difference in differences(THINGS, None, "warn")
    ]

    assert made == [("collection", "created"), ("validator", "created"), ("index", "created")]


@pytest.mark.parametrize(("there", "expected"), [case[1:] for case in INDEXES], ids=str)
def test_an_index_is_compared_with_the_registry(
    there: tuple[FoundIndex, ...], expected: dict[str, str]
) -> None:
    assert outcomes(found(*there), "index") == expected


@pytest.mark.parametrize(("there", "expected"), [case[1:] for case in MISNAMED], ids=str)
def test_a_name_that_another_index_of_the_registry_has_is_freed(
    there: tuple[FoundIndex, ...], expected: dict[str, str]
) -> None:
    made = differences(BY_SIZE, found(*there), "warn")

    assert {
        difference.finding.name: difference.finding.outcome
        for difference in made
        if difference.index
    } == expected


MISSING: list[tuple[str, tuple[FoundIndex, ...], dict[str, str]]] = [
    ("there", (GOOD,), {"id_1": "existing", "size_1": "created"}),
    ("missing", (), {"id_1": "created", "size_1": "created"}),
    ("not unique", (PLAIN,), {"id_1": "different", "size_1": "created"}),
    ("another name", (RENAMED,), {"id_1": "different", "size_1": "created"}),
    ("its name is taken", (SIZE_AS_ID,), {"id_1": "different", "size_1": "different"}),
]


@pytest.mark.parametrize(("there", "expected"), [case[1:] for case in MISSING], ids=str)
def test_what_is_there_is_left_alone_where_only_missing_is_created(
    there: tuple[FoundIndex, ...], expected: dict[str, str]
) -> None:
    made = [*leave_different(differences(BY_SIZE, found(*there), "warn"))]

    assert {
        difference.finding.name: difference.finding.outcome
        for difference in made
        if difference.index
    } == expected
    assert all(
        difference.finding.reason and not difference.needs_change
        for difference in made
        if difference.finding.outcome == "different"
    )


@pytest.mark.parametrize(("changed", "outcome", "reason"), VALIDATIONS)
def test_a_validator_that_differs_is_left_alone_and_a_missing_one_is_created(
    changed: dict[str, Any], outcome: str, reason: str
) -> None:
    validator = [*leave_different(differences(THINGS, found(GOOD, **changed), "warn"))][1].finding

    expected = "different" if outcome == "repaired" else outcome
    assert (validator.outcome, validator.reason) == (expected, reason)


@pytest.mark.parametrize(
    ("there", "outcome"),
    [
        ([STRANGE] * 62, "created"),
        ([STRANGE] * 63, "blocked"),
        ([STRANGE] * 62 + [PLAIN], "repaired"),
    ],
    ids=["room for one", "no room", "no room needed"],
)
def test_a_collection_holds_64_indexes(there: list[FoundIndex], outcome: str) -> None:
    made = [*limited(differences(THINGS, found(*there), "warn"), there)]

    assert made[2].finding.outcome == outcome
    if outcome == "blocked":
        assert "more than 64 indexes, which MongoDB refuses" in made[2].finding.reason


@pytest.mark.parametrize(("changed", "outcome", "reason"), VALIDATIONS)
def test_a_validator_is_compared_with_the_model(
    changed: dict[str, Any], outcome: str, reason: str
) -> None:
    validator = differences(THINGS, found(GOOD, **changed), "warn")[1].finding

    assert (validator.outcome, validator.reason) == (outcome, reason)


SEARCHED = Collection("things", "Things.", Thing, (Index(weights={"name": 10, "lyrics": 1}),))
TEXTS = (("_fts", "text"), ("_ftsx", 1))
PART_OF_IT = FoundIndex("name_text", TEXTS, {"weights": {"name": 1}})
OTHER_FIELD = FoundIndex("notes_text", TEXTS, {"weights": {"name": 1, "notes": 1}})
ANY_FIELD = FoundIndex("$**_text", TEXTS, {"weights": {"$**": 1}})
OF_A_PROJECT = FoundIndex("own", (("project_id", 1), *TEXTS), {"weights": {"name": 1}})


@pytest.mark.parametrize(
    ("there", "outcome"),
    [
        (STRANGE, "created"),
        (PART_OF_IT, "repaired"),
        (OTHER_FIELD, "blocked"),
        (ANY_FIELD, "blocked"),
        (OF_A_PROJECT, "blocked"),
    ],
    ids=lambda value: getattr(value, "name", value),
)
def test_a_text_index_that_searches_other_fields_keeps_ours_out(
    there: FoundIndex, outcome: str
) -> None:
    finding = differences(SEARCHED, found(there), "warn")[2].finding

    assert finding.outcome == outcome
    if outcome == "blocked":
        assert f"one text index, and {there.name} searches other fields" in finding.reason


def test_a_repair_replaces_every_index_on_the_same_fields() -> None:
    difference = differences(THINGS, found(PLAIN, RENAMED), "warn")[2]

    assert difference.replaces == (PLAIN, RENAMED)
    assert difference.finding.reason == "It differs in unique."


STRANGE_UNIQUE = FoundIndex("size_1", (("size", 1),), {"unique": True})


@pytest.mark.parametrize(
    ("there", "place", "outcome", "reason"),
    [
        (found(NAMESAKE), 2, "blocked", "An index on other fields has this name"),
        (found(GOOD, STRANGE_UNIQUE), -1, "unknown", "may refuse documents"),
        (FoundCollection("view"), 0, "blocked", "A view has this name"),
    ],
    ids=["a name that is taken", "a strange unique index", "a view"],
)
def test_a_part_that_cannot_be_changed_has_a_reason(
    there: FoundCollection, place: int, outcome: str, reason: str
) -> None:
    finding = differences(THINGS, there, "warn")[place].finding

    assert finding.outcome == outcome
    assert reason in finding.reason
