import contextlib
import os
import sys
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storycanvas.faces.errors import PictureNotFound
from storycanvas.faces.pictures.reading import read_picture
from storycanvas.host.settings import DAY_SECONDS
from storycanvas.host.storage.assets import AssetStore
from tests.support.host.pictures import SIZE, kept, name, numbered, picture_bytes, stored

ALL = range(100)


@pytest.fixture
def restless_threads() -> Iterator[None]:
    """Lets threads take turns so often that a missing lock shows."""
    usual = sys.getswitchinterval()
    sys.setswitchinterval(1e-6)
    yield
    sys.setswitchinterval(usual)


def filled(folder: Path, count: int = 3, places: int = 3) -> AssetStore:
    """Pictures 0, 1, 2 ... in a store with so many places."""
    store = AssetStore(folder, places * SIZE)
    for number in range(count):
        stored(store, number)
    return store


@pytest.fixture
def store(tmp_path: Path) -> AssetStore:
    """A store with three places, and pictures 0, 1 and 2."""
    return filled(tmp_path)


def test_the_least_recently_used_picture_goes_first(tmp_path: Path) -> None:
    filled(tmp_path, count=5)
    assert kept(tmp_path, ALL) == [2, 3, 4]


@pytest.mark.parametrize("use", ["found", "uploaded", "held", "promised"])
def test_a_use_makes_a_picture_young(store: AssetStore, tmp_path: Path, use: str) -> None:
    match use:
        case "found":
            store.find(name(0))
        case "uploaded":
            stored(store, 0)
        case "promised":
            assert store.promise(name(0))
            store.fetched(name(0))
        case _:
            with store.held([name(0)]):
                pass
    stored(store, 3)
    assert kept(tmp_path, ALL) == [0, 2, 3]


def test_a_held_picture_stays_and_the_bound_is_exceeded_meanwhile(
    store: AssetStore, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    with store.held([name(0), name(1), name(2)]):
        stored(store, 3)
        stored(store, 4)
        assert kept(tmp_path, ALL) == [0, 1, 2, 4]
    assert kept(tmp_path, ALL) == [1, 2, 4]
    assert [record.levelname for record in caplog.records] == ["WARNING"]


def test_a_request_for_a_missing_picture_holds_none(store: AssetStore, tmp_path: Path) -> None:
    with pytest.raises(PictureNotFound), store.held([name(0), name(50)]):
        pass
    stored(store, 3)
    stored(store, 4)
    assert kept(tmp_path, ALL) == [0, 3, 4]
    stored(store, 5)
    assert kept(tmp_path, ALL) == [3, 4, 5]


def test_an_output_stays_until_it_is_fetched(tmp_path: Path) -> None:
    output = read_picture(numbered(50), "output")
    store = AssetStore(tmp_path, 2 * SIZE + len(output.png))
    made = store.add(output)
    for number in range(9):
        stored(store, number)
    assert (tmp_path / made).exists()
    store.fetched(made)
    for number in range(9):
        stored(store, number)
    assert not (tmp_path / made).exists()


def test_a_picture_larger_than_the_bound_stays_until_the_next_one(tmp_path: Path) -> None:
    filled(tmp_path, count=2, places=0)
    assert kept(tmp_path, ALL) == [1]


def test_the_order_outlives_the_program(tmp_path: Path) -> None:
    filled(tmp_path).find(name(0))
    stored(AssetStore(tmp_path, 3 * SIZE), 3)
    assert kept(tmp_path, ALL) == [0, 2, 3]


def test_the_order_outlives_a_clock_that_went_back(tmp_path: Path) -> None:
    filled(tmp_path)
    ahead = time.time() + 3600
    for number in ALL[:3]:
        os.utime(tmp_path / name(number), (ahead + number,) * 2)
    AssetStore(tmp_path, 3 * SIZE).find(name(0))
    stored(AssetStore(tmp_path, 3 * SIZE), 3)
    assert kept(tmp_path, ALL) == [0, 2, 3]


def test_a_time_far_in_the_future_does_not_keep_all_pictures(
    store: AssetStore, tmp_path: Path
) -> None:
    os.utime(tmp_path / name(0), (time.time() + 9_000 * DAY_SECONDS,) * 2)
    again = AssetStore(tmp_path, 3 * SIZE)
    again.find(name(1))
    assert (tmp_path / name(1)).stat().st_mtime < time.time() + 2 * DAY_SECONDS
    assert store.remove_older(DAY_SECONDS) == 0


def test_pictures_of_the_same_time_go_in_any_order_but_no_more_than_needed(tmp_path: Path) -> None:
    filled(tmp_path)
    for number in ALL[:3]:
        os.utime(tmp_path / name(number), (1_000_000_000,) * 2)
    stored(AssetStore(tmp_path, 3 * SIZE), 3)
    assert len(kept(tmp_path, ALL[:3])) == 2


def test_a_smaller_bound_holds_from_the_next_start(tmp_path: Path) -> None:
    filled(tmp_path)
    AssetStore(tmp_path, 2 * SIZE).tidy()
    assert kept(tmp_path, ALL) == [1, 2]


def test_a_start_removes_what_a_killed_host_left_half_written(
    store: AssetStore, tmp_path: Path
) -> None:
    (tmp_path / "left.part").write_bytes(bytes(9 * SIZE))
    (tmp_path / "note.txt").write_text("the operator's own")
    AssetStore(tmp_path, 3 * SIZE).tidy()
    assert kept(tmp_path, ALL) == [0, 1, 2]
    assert {path.suffix for path in tmp_path.iterdir()} == {".png", ".txt"}
    stored(store, 3)
    assert (tmp_path / "note.txt").exists()


def test_an_abandoned_upload_is_removed_by_its_age(store: AssetStore, tmp_path: Path) -> None:
    for age in (60, 7200):
        part = tmp_path / f"{age}.part"
        part.touch()
        os.utime(part, (time.time() - age,) * 2)
    assert store.remove_older(DAY_SECONDS) == 0
    assert [path.name for path in tmp_path.glob("*.part")] == ["60.part"]


def test_a_picture_removed_by_hand_takes_no_room(store: AssetStore, tmp_path: Path) -> None:
    (tmp_path / name(1)).unlink()
    with pytest.raises(PictureNotFound):
        store.find(name(1))
    stored(store, 3)
    assert kept(tmp_path, ALL) == [0, 2, 3]


def test_a_picture_removed_by_hand_can_be_uploaded_again(store: AssetStore, tmp_path: Path) -> None:
    (tmp_path / name(1)).unlink()
    stored(store, 1)
    assert kept(tmp_path, ALL) == [0, 1, 2]


def test_an_upload_replaces_a_picture_that_was_cut(store: AssetStore, tmp_path: Path) -> None:
    (tmp_path / name(1)).write_bytes(b"cut")
    stored(store, 1)
    assert (tmp_path / name(1)).read_bytes() == numbered(1)
    stored(store, 3)
    assert kept(tmp_path, ALL) == [1, 2, 3]


def test_a_picture_put_there_by_hand_is_found_and_counted(
    store: AssetStore, tmp_path: Path
) -> None:
    (tmp_path / name(9)).write_bytes(numbered(9))
    store.find(name(9))
    stored(store, 3)
    assert kept(tmp_path, ALL) == [2, 3, 9]


def test_a_picture_that_cannot_be_removed_does_not_save_the_others(
    store: AssetStore, tmp_path: Path
) -> None:
    (tmp_path / name(0)).unlink()
    (tmp_path / name(0)).mkdir()
    stored(store, 3)
    stored(store, 4)
    assert kept(tmp_path, ALL) == [0, 3, 4]


def test_a_held_picture_does_not_grow_old(store: AssetStore, tmp_path: Path) -> None:
    with store.held([name(0)]):
        assert store.remove_older(0) == 2
    assert kept(tmp_path, ALL) == [0]


@pytest.mark.usefixtures("restless_threads")
def test_the_same_upload_many_times_at_once_is_one_picture(tmp_path: Path) -> None:
    store = AssetStore(tmp_path, 3 * SIZE)
    with ThreadPoolExecutor(8) as callers:
        assert set(callers.map(stored, [store] * 64, [7] * 64)) == {name(7)}
    assert [path.name for path in tmp_path.iterdir()] == [name(7)]
    stored(store, 8)
    stored(store, 9)
    assert kept(tmp_path, ALL) == [7, 8, 9]


@pytest.mark.usefixtures("restless_threads")
def test_many_threads_keep_the_bound_and_what_they_hold(tmp_path: Path) -> None:
    store = AssetStore(tmp_path, 4 * SIZE)

    def work(first: int) -> None:
        for number in range(first, first + 40):
            stored(store, number)
            with contextlib.suppress(PictureNotFound), store.held([name(number)]) as (path,):
                assert path.read_bytes() == numbered(number)

    with ThreadPoolExecutor(8) as workers:
        list(workers.map(work, range(0, 320, 40)))
    assert picture_bytes(tmp_path) == 4 * SIZE
