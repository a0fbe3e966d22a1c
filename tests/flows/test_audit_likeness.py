"""The flow audit-likeness: of a character, a project or all; a plot, a table, what is missing."""

from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from pymongo.database import Database

from db.errors import UnknownCharacter
from flows.audit_likeness import audit_likeness
from storycanvas.faces.pictures.image_store import Category, ImageStore
from tests.support.db.records import character
from tests.support.flows.runs import shown_by
from tests.support.paths import ROOT

Data = Database[dict[str, Any]]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def configured(configured: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Data:
    """Two characters of two projects, each with one picture; one is to be 80 years old."""
    url = (tmp_path / "images").as_uri()
    monkeypatch.setenv("IMAGE_STORE", url)
    store = ImageStore(url, None)
    portrait = (ROOT / "samples/portrait.png").read_bytes()
    path = store.put(portrait, Category.RESULT, "png", NOW).path
    for name, gallery in (
        ("Ada", {"age_variants": {"80": path}}),
        ("Mira", {"swapped_faces": [path]}),
    ):
        configured["characters"].insert_one(
            character(
                id=name.lower(),
                name=name,
                project_id=f"of {name}",
                reference_images=[path],
                facefusion_output_gallery=gallery,
            )
        )
    return configured


def test_all_characters_are_drawn_and_the_outlier_is_named(configured: Data) -> None:
    state = audit_likeness(return_state=True)

    report = state.result()
    name, artifacts = shown_by(state)
    assert name == "audit-likeness"
    assert report.summary() == (
        "2 pictures of all characters, 2 of them measured now: 1 more than 10 years off."
    )
    assert [(each.name, each.off_age) for each in report.characters] == [("Ada", 1), ("Mira", 0)]
    [strips] = artifacts["audit-likeness-all-characters-strips"]
    assert str(strips.data).startswith("![likeness and age: 2 pictures")
    [table] = artifacts["audit-likeness-all-characters-outliers"]
    assert "asked for 80 years, read as" in str(table.data)
    assert configured["face_measures"].count_documents({}) == 2


def test_a_project_and_a_character_are_measured_alone_and_once(configured: Data) -> None:
    configured["face_measures"].insert_one({"_id": "old", "character_id": "gone"})

    assert [each.name for each in audit_likeness(project_id="of Mira").characters] == ["Mira"]
    again = audit_likeness(character_id="mira")

    assert again.characters[0].measured == 0
    assert {each["character_id"] for each in configured["face_measures"].find()} == {"mira", "gone"}
    assert audit_likeness().forgotten == 1


@pytest.mark.parametrize("named", [{"character_id": "x"}, {"project_id": "x"}])
def test_a_character_or_project_that_is_not_there_is_refused(
    configured: Data,  # noqa: ARG001 - the flow reads it
    named: dict[str, str],
) -> None:
    with pytest.raises(UnknownCharacter, match="'x'"):
        audit_likeness(**named)
