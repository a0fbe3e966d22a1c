"""A full image store, or disk of a host, costs no GPU operation twice, and none
at all where it is known before."""

import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.age_progression import age_progression
from storycanvas.faces.pictures.image_store import Category, ImageStore
from storycanvas.faces.recipes.steps import Choice
from tests.support.flows.hosts import after_operations
from tests.support.flows.runs import messages_of, set_retries
from tests.support.flows.world import CHARACTER, World
from tests.support.host.started_host import StartedHost, wait_until
from tests.support.small_disk import fill, small_disk


@pytest.fixture
def disk(world: World, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A small disk with the image store, which holds the character's portrait."""
    with small_disk(20) as folder:
        store = ImageStore(folder.as_uri())
        portrait = Path(world.character()["reference_images"][0]).read_bytes()
        stored = store.put(portrait, Category.SOURCE, "png", datetime.now(UTC))
        world.database["characters"].update_one(
            {"id": CHARACTER}, {"$set": {"reference_images": [stored.url]}}
        )
        monkeypatch.setenv("IMAGE_STORE", store.url)
        yield folder


def test_a_full_store_fails_the_run_in_a_sentence_and_the_next_run_reuses_the_hosts_result(
    world: World, disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: dict[str, Any] = {"ages": [45], "enhance": Choice.NONE, "return_state": True}
    operations = world.host.status().operations

    with_little_room = age_progression(CHARACTER, **asked)

    assert "less than the 200 MB of STORYCANVAS_STORE_MIN_FREE_MB" in with_little_room.message
    assert world.host.status().operations == operations

    monkeypatch.setenv("STORYCANVAS_STORE_MIN_FREE_MB", "0")
    filler = fill(disk, leave=8192)
    full = age_progression(CHARACTER, **asked)

    assert f"age 45: The image store {disk.as_uri()} cannot be used: No space left" in full.message
    assert "bytes free; make room there" in full.message
    assert list(disk.rglob("*.part")) == []
    assert world.host.status().operations == operations + 2  # detect and age 45

    filler.unlink()
    report = age_progression(CHARACTER, **asked).result()

    assert [step.outcome for step in report.steps] == ["done"]
    assert world.host.status().operations == operations + 2


@pytest.mark.usefixtures("world")
def test_while_steps_wait_for_room_the_state_of_the_run_says_so(
    disk: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    set_retries(monkeypatch, 2, seconds=0.1)
    monkeypatch.setenv("STORYCANVAS_STORE_MIN_FREE_MB", "0")
    fill(disk, leave=0)  # else the free bytes in the reason change with each try of a step

    state = age_progression(CHARACTER, ages=[45, 50], enhance=Choice.NONE, return_state=True)

    told = messages_of(state)
    waiting = [message for message in told if message.startswith("Waiting for the next try of ")]
    assert state.is_failed()
    assert waiting[0].startswith("Waiting for the next try of 'age ")
    assert all(f"The image store {disk.as_uri()} cannot be used" in said for said in waiting)
    assert len(waiting) <= 3, "the reason is written again at each try"
    assert told[-2] == "", "a reason is shown when no step waits"


def test_a_run_waits_for_room_on_the_disk_of_its_host(
    own_host: Callable[[str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    set_retries(monkeypatch, 9, seconds=0.25)
    with small_disk(40) as disk:
        host = StartedHost(disk / "data")
        own_host(host.url)

        def make_room() -> None:
            wait_until(lambda: "has no room" in host.log())
            filler[0].unlink()

        filler: list[Path] = []
        room = threading.Thread(target=make_room)
        full = after_operations(host.url, 1, lambda: filler.append(fill(disk, leave=0)))
        room.start()
        state = age_progression(CHARACTER, ages=[25, 45], enhance=Choice.NONE, return_state=True)
        full.join()
        room.join()
        told = " ".join(messages_of(state))
        operations = host.client.get("status").json()["operations"]
        host.end()

    assert {step.outcome for step in state.result().steps} == {"done"}
    assert "The host's data folder (--data-dir) has no room" in told
    assert operations == len(["detect", "age 25", "age 45"])
