"""A host that refuses, stops or stays away: the other steps are done, and the failure is named."""

import io
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from PIL import Image
from prefect.states import State

from flows.age_progression import age_progression
from storycanvas.faces.errors import HostUnreachable
from storycanvas.services.face_host import FaceHost
from storycanvas.services.shared import Lease, acquire
from tasks.faces.reporting.report import StepsFailed
from tests.support.flows.hosts import ONE_REASON, OddHost, after_operations, kill
from tests.support.flows.runs import set_retries
from tests.support.flows.world import CHARACTER, World

EMPTY_CELL = (226, 226, 222)
HISTORY, GALLERY = "facefusion_processing_history", "facefusion_output_gallery"


@pytest.fixture
def mortal(tmp_path: Path, own_host: Callable[[str], str]) -> Iterator[Lease]:
    """A host that may be killed."""
    with acquire(FaceHost(), tmp_path / "mortal") as lease:
        own_host(lease.url)
        yield lease


def test_steps_that_can_be_done_are_done_and_the_failed_one_is_named_and_recorded(
    world: World, tmp_path: Path, own_host: Callable[[str], str]
) -> None:
    with acquire(OddHost("refuses-an-age"), tmp_path / "picky") as lease:
        own_host(lease.url)
        with pytest.raises(StepsFailed, match="age 45: The content analyser refuses") as failure:
            age_progression(CHARACTER, ages=[40, 45, 50])

    outcomes = {step.step: step.outcome for step in failure.value.report.steps}
    assert outcomes == {
        "age 40": "done",
        "enhance age 40": "done",
        "age 45": "failed",
        "enhance age 45": "skipped",
        "age 50": "done",
        "enhance age 50": "done",
    }
    assert sorted(world.character()[GALLERY]["age_variants"]) == ["40", "50"]
    [entry] = [entry for entry in world.character()[HISTORY] if not entry["success"]]
    assert entry["operation_type"] == "age_adjust"
    assert "content analyser" in entry["error_message"]
    assert entry["output_image_url"] == ""


def test_pictures_that_were_aged_but_not_restored_are_shown_with_what_was_not_done(
    world: World, tmp_path: Path, own_host: Callable[[str], str]
) -> None:
    with acquire(OddHost("restores-nothing"), tmp_path / "picky") as lease:
        own_host(lease.url)
        with pytest.raises(StepsFailed) as failure:
            age_progression(CHARACTER, ages=[40, 50])

    report = failure.value.report
    sheet = Image.open(io.BytesIO(world.store.read(report.contact_sheet_path or "")))
    grey = sum(pixel == EMPTY_CELL for pixel in sheet.convert("RGB").get_flattened_data())
    assert str(failure.value).count(ONE_REASON) == 1
    assert f"enhance age 40, enhance age 50: {ONE_REASON}" in str(failure.value)
    assert grey < sheet.width * sheet.height / 100


def test_a_run_goes_on_when_its_host_comes_back(
    world: World, mortal: Lease, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_retries(monkeypatch, 9, seconds=0.25)
    back: list[Lease] = []

    def restart() -> None:
        kill(mortal)
        back.append(acquire(FaceHost(preferred_port=mortal.record.port), tmp_path / "mortal"))

    watcher = after_operations(mortal.url, 2, restart)
    try:
        report = age_progression(CHARACTER, ages=[25, 45])
    finally:
        watcher.join()
        back[0].release()

    entries = world.character()[HISTORY]
    assert {step.outcome for step in report.steps} == {"done"}
    assert sorted(world.character()[GALLERY]["age_variants"]) == ["25", "45"]
    assert [entry["success"] for entry in entries] == [True] * 4


def test_a_host_that_stays_away_fails_the_run_in_a_sentence_and_keeps_what_is_done(
    world: World, mortal: Lease
) -> None:
    watcher = after_operations(mortal.url, 2, lambda: kill(mortal))

    state: State[object] = age_progression(
        CHARACTER, ages=[16, 25, 45, 65], enhance=None, return_state=True
    )

    watcher.join()
    done = [entry for entry in world.character()[HISTORY] if entry["success"]]
    assert state.is_failed()
    assert f"The face host {mortal.url} cannot be reached" in (state.message or "")
    assert "Traceback" not in (state.message or "")
    assert world.database["facefusion_operations"].count_documents({}) == 1 + len(done)


def test_a_host_that_is_not_there_at_all_changes_nothing(
    world: World, own_host: Callable[[str], str]
) -> None:
    own_host("http://127.0.0.1:1")
    before = world.everything()

    with pytest.raises(HostUnreachable, match="start it or correct FACEFUSION_URL"):
        age_progression(CHARACTER)

    assert world.everything() == before
