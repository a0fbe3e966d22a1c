"""A full image store costs no GPU operation twice, and none at all where it is known before."""

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from flows.age_progression import age_progression
from storycanvas.faces.pictures.image_store import Category, ImageStore
from storycanvas.faces.recipes.steps import Choice
from tests.support.flows.world import CHARACTER, World
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
