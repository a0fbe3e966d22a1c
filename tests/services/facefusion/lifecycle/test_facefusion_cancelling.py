"""A cancelled operation of FaceFusion: its process is gone, the next operation has a new one."""

import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from storycanvas.faces.contract import IDEMPOTENCY_HEADER
from storycanvas.faces.errors import OperationCancelled
from storycanvas.faces.operations import EnhanceOperation
from storycanvas.host.engines.cancelling import Cancellation
from tests.support.facefusion.checkouts import Checkout
from tests.support.facefusion.driven_host import Drive
from tests.support.facefusion.gated_checkout import GatedCheckout, is_gone
from tests.support.facefusion.stand_in.checkout import misbehave
from tests.support.facefusion.supervised import OpenEngine, Supervised, portrait
from tests.support.host.submitting import ASYNC


@pytest.fixture
def engine(open_engine: OpenEngine) -> Supervised:
    return open_engine()


def run_cancellable(engine: Supervised, cancellation: Cancellation) -> object:
    with cancellation.active():
        return engine.run()


def test_a_cancelled_operation_ends_its_process_and_is_not_tried_again(engine: Supervised) -> None:
    expected = engine.run().picture
    engine.misbehave("gate")
    cancellation = Cancellation()
    with ThreadPoolExecutor(1) as callers:
        running = callers.submit(run_cancellable, engine, cancellation)
        process = engine.checkout.next_to_begin(before=1)
        assert cancellation.cancel()
        with pytest.raises(OperationCancelled):
            running.result(10)
    assert is_gone(process)
    assert not cancellation.cancel()
    assert engine.run().picture == expected
    assert len(engine.checkout.begun()) == 3
    assert list((engine.folder / "jobs").iterdir()) == []


def test_a_host_gives_a_cancelled_operation_up_and_its_key_back(
    drive: Drive, tmp_path: Path
) -> None:
    checkout = GatedCheckout(tmp_path / "home")
    misbehave(checkout.home, "gate")
    host = drive(Checkout(checkout.home, Path(sys.executable)))
    picture = host.upload(portrait().png)
    headers = ASYNC | {IDEMPOTENCY_HEADER: "cancelled"}
    taken = host.http.post("enhance-face", json={"source_path": picture}, headers=headers)
    process = checkout.next_to_begin()
    ended = host.http.delete(f"operations/{taken.json()['id']}").json()
    status = host.client.status()
    assert (ended["state"], status.busy, status.queued) == ("cancelled", 0, 0)
    assert is_gone(process)
    assert host.jobs() == []
    assert host.client.operate(EnhanceOperation(), [picture], "cancelled").output_path
    assert len(checkout.begun()) == len(["the cancelled one", "the one with its key"])


def test_an_operation_cancelled_before_it_began_starts_nothing(engine: Supervised) -> None:
    cancellation = Cancellation()
    cancellation.cancel()
    with pytest.raises(OperationCancelled):
        run_cancellable(engine, cancellation)
    assert engine.checkout.begun() == []
