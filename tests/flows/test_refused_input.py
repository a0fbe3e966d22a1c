"""A bad input is refused with one clear sentence and changes nothing."""

import re
import shutil
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from prefect import flow
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate
from prefect.exceptions import ParameterTypeError

from blocks.environment import ConfigurationUnusable
from db.errors import CharacterWithoutPicture, UnknownCharacter, UnknownPreset
from flows.age_progression import age_progression
from flows.enhance_then_swap import enhance_then_swap
from storycanvas.faces.errors import (
    BadField,
    ChildAgeRefused,
    NoFace,
    NotAPicture,
    PictureNotAllowed,
    PictureNotFound,
)
from storycanvas.faces.operations import DetectOperation
from storycanvas.faces.pictures.image_store import Category
from storycanvas.faces.plan import Plan, PlanPicture, Step
from storycanvas.faces.recipes.pipeline import Pipeline, RecipeInput
from storycanvas.faces.reports.steps import FaceRunReport
from storycanvas.faces.settings import FaceSettings
from storycanvas.faces.sources.trust import NamedBy
from storycanvas.gpu.guard.limit import GuardClosed
from tasks.faces.reporting.findings import faces_found
from tasks.faces.run import RunOptions, run_pipeline
from tests.support.flows.world import CHARACTER, World, plain_picture

Parameters = dict[str, Any]

REFUSED: list[tuple[Parameters, type[Exception], str]] = [
    ({"character_id": "unknown"}, UnknownCharacter, "There is no character 'unknown'"),
    ({"ages": [140]}, ParameterTypeError, "less than or equal to 100"),
    ({"ages": [-1]}, ParameterTypeError, "greater than or equal to 0"),
    ({"ages": []}, ParameterTypeError, "at least 1 item"),
    ({"base_age": 101}, ParameterTypeError, "less than or equal to 100"),
    ({"enhance": "sharpest"}, ParameterTypeError, "gfpgan_1.4"),
    ({"ages": [45, 5]}, ChildAgeRefused, "Age 5 is below 10"),
    ({"base_image": "{folder}/notes.txt"}, NotAPicture, "notes.txt is not a picture"),
    ({"base_image": "{folder}/plain.png"}, NoFace, "No face was found in the base picture"),
    ({"base_image": "{folder}/nothing.png"}, PictureNotFound, "There is no picture at"),
    ({"base_image": "http://[::1/face.png"}, PictureNotFound, "is not an http(s) URL"),
    ({"preset": "misspelt"}, BadField, "The preset holds face_enhancer_blendd"),
    ({"preset": "unheard-of"}, UnknownPreset, "no preset with the id or name 'unheard-of'"),
    ({"character_id": "faceless"}, CharacterWithoutPicture, "has no reference image"),
]


@pytest.fixture
def inputs(world: World) -> Path:
    """Files that are no good, and a character without a picture."""
    (world.folder / "notes.txt").write_text("This is a text file.")
    world.picture("plain.png", plain_picture())
    world.database["characters"].insert_one({"id": "faceless", "name": "Nemo"})
    world.database["facefusion_presets"].insert_one(
        {
            "id": "preset-1",
            "name": "misspelt",
            "operation_type": "enhance",
            "parameters": {"face_enhancer_blendd": 0.2},
        }
    )
    return world.folder


@pytest.mark.parametrize(("parameters", "error", "sentence"), REFUSED)
def test_a_bad_input_is_one_sentence_and_changes_nothing(
    world: World, inputs: Path, parameters: Parameters, error: type[Exception], sentence: str
) -> None:
    given = {"character_id": CHARACTER, **parameters}
    if "base_image" in given:
        given["base_image"] = given["base_image"].format(folder=inputs)
    before = world.everything()

    state = age_progression(**given, return_state=True)

    assert state.is_failed()
    assert sentence in (state.message or "")
    assert "Traceback" not in (state.message or "")
    with pytest.raises(error, match=re.escape(sentence)):
        state.result()
    assert world.everything() == before


def test_a_missing_limit_stops_the_run_before_the_first_call(
    world: World, host_url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("FACEFUSION_URL", host_url.replace("127.0.0.1", "127.0.0.2"))
    before, operations = world.everything(), world.host.status().operations

    state = age_progression(CHARACTER, return_state=True)

    assert "'gpu:127.0.0.2:" in (state.message or "")
    assert "storycanvas register --limits-only" in (state.message or "")
    assert world.everything() == before
    assert world.host.status().operations == operations


@pytest.mark.parametrize(
    ("change", "sentence"), [({"active": False}, "is switched off"), ({"limit": 0}, "is 0")]
)
def test_a_limit_that_does_not_guard_stops_the_run(
    world: World,
    host_url: str,
    own_host: Callable[[str], str],
    change: dict[str, Any],
    sentence: str,
) -> None:
    name = own_host(host_url.replace("127.0.0.1", "127.0.0.3"))
    with get_client(sync_client=True) as client:
        client.update_global_concurrency_limit(name, GlobalConcurrencyLimitUpdate(**change))
    before = world.everything()

    with pytest.raises(GuardClosed, match=sentence):
        age_progression(CHARACTER)

    assert world.everything() == before


@flow(name="job")
def job(picture: str, reference: str | None, source: str | None) -> FaceRunReport:
    """A pipeline of this test: what a document names."""

    def plan(found: RecipeInput) -> Plan:
        named = PlanPicture(name="face", reference=found.pictures["face"])
        step = Step(name="look", operation=DetectOperation(), inputs=("face",))
        return Plan(pictures=(named,), steps=(step,))

    pipeline = Pipeline({"face": picture}, plan, source=source, named_by=NamedBy.DOCUMENT)
    options = RunOptions(settings=FaceSettings(reference_image=reference))
    return run_pipeline(options, pipeline, adding=faces_found)


@pytest.mark.parametrize("as_reference", [False, True])
@pytest.mark.parametrize("source", [None, "face"])
def test_a_file_of_this_machine_is_refused_where_a_document_names_it(
    world: World, as_reference: bool, source: str | None
) -> None:
    file = world.picture("plain.png", plain_picture())
    stored = world.store.put(Path(file).read_bytes(), Category.SOURCE, "png", datetime.now(UTC))
    before = world.everything()

    pictures = (stored.url, file) if as_reference else (file, None)
    state = job(*pictures, source, return_state=True)

    with pytest.raises(PictureNotAllowed, match="IMAGE_URL_HOSTS"):
        state.result()
    assert world.everything() == before


def test_a_picture_of_a_named_store_is_taken_where_a_document_names_it(
    world: World, target: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    app = world.folder / "app" / "temp"
    app.mkdir(parents=True)
    shutil.copy(target, app / "face.jpg")
    monkeypatch.setenv("IMAGE_STORES", f"local={app.parent.as_uri()}")

    report = job((app / "face.jpg").as_uri(), None, None)

    assert [step.outcome for step in report.steps] == ["done"]


@pytest.mark.usefixtures("world")
def test_servers_of_documents_that_are_none_are_refused_without_their_secret(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("IMAGE_URL_HOSTS", "fine.example,http://user:hunter2@pictures.example/x")

    state = age_progression(CHARACTER, return_state=True)

    assert "IMAGE_URL_HOSTS cannot be used: 'http://pictures.example/x'" in (state.message or "")


@pytest.mark.parametrize(
    "url", ["http://user:hunter2@127.0.0.1:9002", "http://127.0.0.1:99999", "hunter2@host:1", "gpu"]
)
@pytest.mark.usefixtures("world")
def test_an_address_that_is_none_is_refused_without_being_said(
    monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    monkeypatch.setenv("FACEFUSION_URL", url)

    state = age_progression(CHARACTER, return_state=True)

    assert "The variable FACEFUSION_URL" in (state.message or "")
    assert "hunter2" not in (state.message or "")


@pytest.mark.parametrize("store", ["nonsense://x", "gcs://bucket/x"])
@pytest.mark.usefixtures("world")
def test_an_image_store_that_cannot_be_opened_is_named(
    monkeypatch: pytest.MonkeyPatch, store: str
) -> None:
    monkeypatch.setenv("IMAGE_STORE", store)

    with pytest.raises(ConfigurationUnusable, match=f"No image store can be opened at {store}"):
        age_progression(CHARACTER)


@pytest.mark.parametrize("priority", [-101, 101])
def test_a_priority_out_of_range_is_refused(priority: int) -> None:
    with pytest.raises(ParameterTypeError, match=r"priority: .* -?100"):
        enhance_then_swap.validate_parameters(
            {"character_id": CHARACTER, "target_image": "a.png", "priority": priority}
        )
