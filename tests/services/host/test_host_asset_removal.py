"""A picture that is to go: at once, or as soon as nothing uses it."""

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from storycanvas.faces.errors import HostNotReady
from storycanvas.faces.pictures.reading import read_picture
from storycanvas.host.settings import DAY_SECONDS
from storycanvas.host.storage.assets import AssetStore
from tests.support.host.pictures import SIZE, encoded, kept, name, numbered, stored
from tests.support.host.submitting import submitted, until
from tests.support.host.threaded_host import OpenHost, ThreadedHost, code
from tests.support.small_disk import read_only, small_disk

ALL = range(10)
TOKEN = "a-token-of-this-test"  # noqa: S105 - no secret


@pytest.fixture
def own(open_host: OpenHost) -> ThreadedHost:
    return open_host(gated=True)


@pytest.fixture
def store(tmp_path: Path) -> AssetStore:
    """A store with three places, and pictures 0, 1 and 2."""
    store = AssetStore(tmp_path, 3 * SIZE)
    for number in range(3):
        stored(store, number)
    return store


@pytest.fixture
def disk() -> Iterator[Path]:
    with small_disk(5) as folder:
        yield folder


def remove(host: ThreadedHost, asset: str) -> int:
    return host.client.delete(f"assets/{asset}").status_code


def asked(host: ThreadedHost, asset: str) -> int:
    return host.client.head(f"assets/{asset}").status_code


@pytest.mark.parametrize("prefix", ["asset:", ""])
def test_a_removed_picture_is_gone_and_no_other(own: ThreadedHost, prefix: str) -> None:
    picture, other = own.upload(encoded()), own.upload(encoded("JPEG"))

    answer = own.client.delete(f"assets/{prefix}{picture.removeprefix('asset:')}")

    assert (answer.status_code, answer.content) == (204, b"")
    assert (asked(own, picture), asked(own, other)) == (404, 200)
    files = [path.name for path in (own.data_dir / "assets").iterdir()]
    assert files == [other.removeprefix("asset:")]


def test_a_picture_that_is_not_there_is_as_good_as_removed(own: ThreadedHost) -> None:
    picture = own.upload(encoded())

    assert [remove(own, picture), remove(own, picture), remove(own, f"{'0' * 64}.png")] == [204] * 3


@pytest.mark.parametrize(
    "wrong", ["x", "asset:", f"{'0' * 64}.exe", f"{'0' * 63}.png", f"..%2f{'0' * 64}.png"]
)
def test_a_name_that_is_none_of_a_picture_removes_nothing(host: ThreadedHost, wrong: str) -> None:
    before = sorted((host.data_dir / "assets").iterdir())
    answer = host.client.delete(f"assets/{wrong}")

    assert answer.status_code in {400, 404}  # a name with a slash has no route
    assert sorted((host.data_dir / "assets").iterdir()) == before


def test_a_picture_is_removed_for_callers_with_a_token_only(open_host: OpenHost) -> None:
    host = open_host(token=TOKEN)
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    sent = host.client.post("assets", content=encoded(), headers=bearer).json()["path"]

    assert code(host.client.delete(f"assets/{sent}")) == (401, "unauthorized")
    assert host.client.head(f"assets/{sent}", headers=bearer).status_code == 200
    assert host.client.delete(f"assets/{sent}", headers=bearer).status_code == 204


def test_a_picture_that_operations_use_goes_with_the_end_of_the_last(own: ThreadedHost) -> None:
    picture = own.upload(encoded("JPEG"))
    running, waiting = (submitted(own, picture, age).id for age in (30, 40))
    own.engine.began.get(timeout=30)

    assert remove(own, picture) == 204
    own.engine.let_through()
    until(own, running, "succeeded")
    assert asked(own, picture) == 200
    own.engine.let_through()
    until(own, waiting, "succeeded")

    assert asked(own, picture) == 404


def test_a_removed_picture_can_be_uploaded_again(own: ThreadedHost) -> None:
    own.engine.let_through(2)
    picture = own.upload(encoded())
    remove(own, picture)

    assert code(own.age(picture)) == (404, "picture_not_found")
    assert own.upload(encoded()) == picture
    assert own.age(picture).status_code == 200


def test_a_picture_goes_when_its_last_holder_lets_it_go(store: AssetStore, tmp_path: Path) -> None:
    with store.held([name(1)]):
        with store.held([name(0), name(1)]):
            store.remove(name(1))
        assert kept(tmp_path, ALL) == [0, 1, 2]

    assert kept(tmp_path, ALL) == [0, 2]


def test_an_output_goes_when_it_has_been_fetched(tmp_path: Path) -> None:
    store = AssetStore(tmp_path, 9 * SIZE)
    made = store.add(read_picture(numbered(5), "output"))
    store.remove(made)
    assert (tmp_path / made).exists()

    store.fetched(made)

    assert not (tmp_path / made).exists()


def test_a_picture_that_is_uploaded_again_meanwhile_stays(
    store: AssetStore, tmp_path: Path
) -> None:
    with store.held([name(0)]):
        store.remove(name(0))
        stored(store, 0)

    assert kept(tmp_path, ALL) == [0, 1, 2]


def test_a_removed_picture_makes_room(store: AssetStore, tmp_path: Path) -> None:
    store.remove(name(1))
    stored(store, 3)
    assert kept(tmp_path, ALL) == [0, 2, 3]

    with store.held([name(3)]):
        store.remove(name(3))
    stored(store, 4)
    assert kept(tmp_path, ALL) == [0, 2, 4]


def test_room_for_a_new_picture_is_made_of_unwanted_pictures_first(
    store: AssetStore, tmp_path: Path
) -> None:
    with ExitStack() as stack:
        stack.enter_context(store.held([name(2)]))
        store.remove(name(2))
        (tmp_path / name(2)).unlink()
        (tmp_path / name(2)).mkdir()  # it cannot be removed as its holder lets it go
    (tmp_path / name(2)).rmdir()
    stored(store, 3)

    assert kept(tmp_path, ALL) == [0, 1, 3]


def test_an_unwanted_picture_that_could_not_go_goes_with_the_old_ones(
    store: AssetStore, tmp_path: Path
) -> None:
    with store.held([name(2)]):
        store.remove(name(2))
        (tmp_path / name(2)).unlink()
        (tmp_path / name(2)).mkdir()
    (tmp_path / name(2)).rmdir()

    assert store.remove_older(DAY_SECONDS) == 1


def test_a_picture_put_there_by_hand_is_removed(store: AssetStore, tmp_path: Path) -> None:
    (tmp_path / name(9)).write_bytes(numbered(9))

    store.remove(name(9))

    assert kept(tmp_path, ALL) == [0, 1, 2]


def test_a_disk_that_lets_nothing_go_is_a_refusal_for_now(disk: Path) -> None:
    store = AssetStore(disk / "assets", 3 * SIZE)
    stored(store, 0)

    with read_only(disk), pytest.raises(HostNotReady, match="data folder"):
        store.remove(name(0))
    store.remove(name(0))

    assert kept(disk / "assets", ALL) == []
