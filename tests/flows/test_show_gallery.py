"""The gallery of a character: made anew by each run that adds to it, and on demand."""

import io
import json
from pathlib import Path
from zipfile import ZipFile

import pytest

from db.errors import UnknownCharacter
from flows.age_progression import age_progression
from flows.enhance_faces import enhance_faces
from flows.show_gallery import show_gallery
from storycanvas.faces.gallery.page import page_path
from tests.support.flows.runs import messages_of, shown_by
from tests.support.flows.world import CHARACTER, World

PICTURES = "http://127.0.0.1:9003"
GALLERY = "facefusion_output_gallery"
pytestmark = pytest.mark.timeout(600)


def page_of(world: World) -> str:
    assert world.store.folder
    return (Path(world.store.folder) / page_path(CHARACTER)).read_text()


def test_a_run_adds_its_pictures_to_the_page_and_links_it(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("STORYCANVAS_PICTURES_URL", PICTURES)
    first = enhance_faces(CHARACTER)
    page = page_of(world)
    assert "enhance-faces" in page
    assert f'src="../{first.steps[0].output_path}"' in page

    state = age_progression(CHARACTER, ages=[45], enhance="none", return_state=True)

    report = state.result()
    both = page_of(world)
    assert report.gallery_page == world.store.address(page_path(CHARACTER))
    assert f'src="../{first.steps[0].output_path}"' in both
    assert "at age 45" in both
    assert both.index("age-progression") < both.index("enhance-faces"), "the newest first"
    _, artifacts = shown_by(state)
    [sheet] = artifacts[f"age-progression-{CHARACTER}-contact-sheet"]
    assert f"(<{PICTURES}/{page_path(CHARACTER)}>)" in str(sheet.data)
    [shown] = [found for key, found in artifacts.items() if key.startswith("gallery-")]
    assert f"(<{PICTURES}/{report.steps[-1].output_path}>)" in str(shown[-1].data)


def test_it_is_made_on_demand_with_what_the_app_added(world: World) -> None:
    enhance_faces(CHARACTER)
    added = {f"{GALLERY}.custom_outputs": ["https://app.example/<b>.png"]}
    world.database["characters"].update_one({"id": CHARACTER}, {"$set": added})

    state = show_gallery("mira", return_state=True)

    report = state.result()
    assert (report.results, report.others) == (1, 1)
    assert messages_of(state)[-1] == report.summary()
    assert "https://app.example/&lt;b&gt;.png" in page_of(world)
    assert "<b>" not in page_of(world)


@pytest.mark.usefixtures("world")
def test_a_character_that_is_not_there_has_no_gallery() -> None:
    with pytest.raises(UnknownCharacter):
        show_gallery("unknown")


def test_a_run_is_taken_away_by_one_link(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("STORYCANVAS_PICTURES_URL", PICTURES)

    report = age_progression(CHARACTER, ages=[45, 65], enhance="none")

    assert report.archive
    path = world.store.path_of(report.archive) or ""
    with ZipFile(io.BytesIO(world.store.read(path))) as archive:
        told = json.loads(archive.read("settings.json"))
        pictures = {archive.read(name) for name in archive.namelist()}
    assert [each["step"] for each in told["pictures"]] == [step.step for step in report.steps]
    assert [each["parameters"]["target_age"] for each in told["pictures"]][-1] == 65
    assert {world.store.read(step.output_path or "") for step in report.steps} < pictures

    monkeypatch.setenv("STORYCANVAS_ARCHIVE_MB", "0")
    assert enhance_faces(CHARACTER).archive is None


def test_pictures_that_are_too_large_for_an_archive_are_found_in_their_folder(
    world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("tasks.pictures.archive.MEGABYTE", 1)

    report = enhance_faces(CHARACTER)

    assert report.archive == f"{world.store.root}/{Path(report.steps[0].output_path or '').parent}"
