"""Processes of one machine hand a slot on among themselves."""

import tempfile
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from uuid import uuid4

import pytest

from storycanvas.gpu.guard.fairness import Claim
from storycanvas.gpu.guard.handover import Grant, Peers, join_peers

SERVER = "http://127.0.0.1:4200/api"
SOON = 5.0

Join = Callable[[], Peers]


@pytest.fixture
def folder(monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    # Sockets have short paths, so pytest's own folders are too deep.
    with tempfile.TemporaryDirectory() as name:
        monkeypatch.setattr(tempfile, "tempdir", name)
        yield Path(name)


@pytest.fixture
def join(folder: Path) -> Iterator[Join]:
    assert folder.is_dir()
    limit = f"gpu:{uuid4().hex}"
    with ExitStack() as stack:

        def joined() -> Peers:
            peers = join_peers(limit, SERVER)
            stack.callback(lambda: list(peers.close()))
            return peers

        yield joined


def grant() -> Grant:
    return Grant(uuid4(), 12.5)


def test_a_lease_handed_over_arrives_whole(join: Join) -> None:
    giver, taker, lease = join(), join(), grant()
    taker.claim(Claim(0, 1.0))

    assert giver.hand_over(lease)
    assert taker.wait(SOON) == lease


def test_it_goes_to_higher_priority_and_then_to_the_longest_wait(join: Join) -> None:
    giver = join()
    claims = [Claim(0, 1.0), Claim(3, 9.0), Claim(3, 8.0)]
    takers = [join() for _ in claims]
    for taker, claim in zip(takers, claims, strict=True):
        taker.claim(claim)
    leases = [grant() for _ in claims]

    for lease in leases:
        assert giver.hand_over(lease)

    assert [takers[index].wait(SOON) for index in (2, 1, 0)] == leases


def test_a_lease_is_kept_where_no_peer_waits(join: Join) -> None:
    giver, taker = join(), join()
    taker.claim(Claim(0, 1.0))
    taker.claim(None)

    assert not giver.hand_over(grant())


def test_a_lane_does_not_see_its_own_claim(join: Join) -> None:
    lane = join()
    lane.claim(Claim(0, 1.0))

    assert lane.claims() == {}
    assert list(join().claims().values()) == [Claim(0, 1.0)]


def test_only_one_of_a_machine_asks_the_server_until_it_waits_no_more(join: Join) -> None:
    first, other = join(), join()

    assert first.asks()
    assert not other.asks()
    first.claim(None)
    assert other.asks()


def test_a_slot_counts_as_held_for_as_long_as_its_process_lives(join: Join, folder: Path) -> None:
    holder, waiter = join(), join()
    holder.hold(held=True)
    (left_by_a_killed_one,) = folder.glob("**/*.held")
    left_by_a_killed_one.with_stem("1-1").touch()

    assert waiter.holders() == 1
    holder.hold(held=False)
    assert waiter.holders() == 0
    assert list(folder.glob("**/*.held")) == []


def test_lanes_of_one_limit_are_one_peer_group(join: Join) -> None:
    other_limit = join_peers("gpu:other", SERVER)

    assert join().peer_group_id == join().peer_group_id != other_limit.peer_group_id
    assert list(other_limit.close()) == []


def test_what_was_handed_over_to_one_that_leaves_is_given_back(join: Join) -> None:
    giver, leaver, lease = join(), join(), grant()
    leaver.claim(Claim(0, 1.0))
    assert giver.hand_over(lease)

    assert list(leaver.close()) == [lease]


def test_a_folder_that_others_can_write_to_is_not_used(folder: Path) -> None:
    list(join_peers("gpu:one", SERVER).close())
    for own in folder.iterdir():
        own.chmod(0o777)

    alone = join_peers("gpu:two", SERVER)

    assert alone.asks()
    assert not alone.hand_over(grant())
