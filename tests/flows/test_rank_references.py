"""The flow rank-references: what it proposes, what it writes, and what it says without likeness."""

import io
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from PIL import Image, ImageFilter
from pymongo.database import Database

from db.errors import CharacterWithoutPicture, UnknownCharacter
from flows.rank_references import rank_references
from storycanvas.faces.pictures.image_store import Category, ImageStore
from tests.support.db.mongosh import run_line
from tests.support.db.records import CHARACTER, character
from tests.support.flows.runs import shown_by
from tests.support.paths import ROOT

Data = Database[dict[str, Any]]
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)


@pytest.fixture
def references(configured: Data, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """References of a character: without a face, blurred, good, and lost."""
    url = (tmp_path / "images").as_uri()
    monkeypatch.setenv("IMAGE_STORE", url)
    store = ImageStore(url, None)
    portrait = Image.open(ROOT / "samples/portrait.png").convert("RGB")
    pictures = (
        Image.new("RGB", (300, 300), "olive"),
        portrait.filter(ImageFilter.GaussianBlur(3)),
        portrait,
    )
    paths = [stored(store, picture) for picture in pictures]
    configured["characters"].insert_one(
        character(project_id="p", reference_images=[*paths, "local/source/lost.png"])
    )
    return [*paths, "local/source/lost.png"]


def stored(store: ImageStore, picture: Image.Image) -> str:
    file = io.BytesIO()
    picture.save(file, "PNG")
    return store.put(file.getvalue(), Category.SOURCE, "png", NOW).path


def references_of(database: Data) -> list[str]:
    [found] = database["characters"].find()
    return list(found["reference_images"])


def test_it_proposes_the_sharp_face_first_and_changes_nothing(
    configured: Data, references: list[str]
) -> None:
    state = rank_references(CHARACTER, return_state=True)

    report = state.result()
    name, artifacts = shown_by(state)
    assert name == "rank-references · Mira"
    assert [each.was for each in report.references] == [3, 2, 1, 4]
    assert report.references[2].reasons == ("no face was found in it",)
    assert "lost.png" in report.references[3].reasons[0]
    assert "Proposed order: 3, 2, 1, 4. Nothing was changed" in report.summary()
    assert "sharp" in str(artifacts[f"rank-references-{CHARACTER}"][0].data)
    assert references_of(configured) == references


def test_with_apply_it_writes_the_order_that_its_line_takes_back(
    configured: Data, references: list[str]
) -> None:
    report = rank_references(CHARACTER, apply=True)

    assert references_of(configured) == [references[at] for at in (2, 1, 0, 3)]
    assert "are in the new order" in report.summary()
    assert run_line(configured, report.undo) == 1
    assert references_of(configured) == references


def test_a_character_without_pictures_is_refused(configured: Data) -> None:
    configured["characters"].insert_one(character(project_id="p", reference_images=[]))

    with pytest.raises(CharacterWithoutPicture, match="has no reference image"):
        rank_references(CHARACTER)
    with pytest.raises(UnknownCharacter):
        rank_references("unknown")
