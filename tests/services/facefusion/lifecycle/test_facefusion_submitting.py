"""Submitted operations of FaceFusion: polled over a kill, ended by a cancellation."""

import os
import time

import pytest

from storycanvas.faces.contract import IDEMPOTENCY_HEADER, OperationStatus
from storycanvas.faces.operations import EnhanceOperation
from tests.support.facefusion.checkouts import HOME_VARIABLE, Checkout
from tests.support.facefusion.driven_host import Drive, DrivenHost
from tests.support.facefusion.gated_checkout import is_gone
from tests.support.facefusion.made_pictures import brighter, opened, plain
from tests.support.host.started_host import wait_until
from tests.support.host.submitting import ASYNC

KEY = "a-large-portrait"
SIZE = (2400, 1600)
LARGE = plain(size=SIZE)
AT_WORK_SECONDS = 0.3
"""FaceFusion itself works on it for longer."""
itself = pytest.mark.skipif(  # the stand-in's are in test_facefusion_cancelling, test_host_submit
    not os.environ.get(HOME_VARIABLE), reason="FaceFusion itself is not named"
)


def submitted(host: DrivenHost) -> OperationStatus:
    """Ask for an operation that takes FaceFusion seconds."""
    body = {"source_path": host.upload(LARGE)}
    answer = host.http.post("enhance-face", json=body, headers=ASYNC | {IDEMPOTENCY_HEADER: KEY})
    assert answer.status_code == 202, answer.text
    status = OperationStatus.model_validate_json(answer.content)
    assert answer.headers["location"] == f"/api/v1/operations/{status.id}"
    return status


def until(host: DrivenHost, operation: OperationStatus, **wanted: str) -> OperationStatus:
    """Poll until fields have the wanted values, and note each phase on the way."""
    status, deadline = operation, time.monotonic() + 60
    while any(getattr(status, name) != value for name, value in wanted.items()):
        assert not status.has_ended, status
        assert time.monotonic() < deadline, status
        query = {"wait": 5, "after": status.revision}
        answer = host.http.get(f"operations/{operation.id}", params=query)
        status = OperationStatus.model_validate_json(answer.content)
    return status


def enhanced(host: DrivenHost, status: OperationStatus) -> bool:
    """Fetch the result; return whether its face is the brighter one of FaceFusion's stand-ins."""
    assert status.result is not None
    png = host.http.get(f"assets/{status.result.output_path}").raise_for_status().content
    return opened(png).size == SIZE and brighter(LARGE, opened(png)) > 10


@itself
def test_a_host_that_is_killed_does_what_it_took_once_it_is_back(
    own_checkout: Checkout, drive: Drive
) -> None:
    host = drive(own_checkout)
    taken = submitted(host)
    until(host, taken, phase="engine")
    workers = host.workers()
    host.kill()
    wait_until(lambda: all(map(is_gone, workers)))

    again = drive(own_checkout)
    ended = until(again, submitted(again), state="succeeded")

    assert ended.id == taken.id
    assert enhanced(again, ended)
    assert until(again, submitted(again), state="succeeded") == ended
    assert again.client.status().operations == 1


@itself
def test_a_cancelled_operation_is_ended_with_its_process(resident_host: DrivenHost) -> None:
    host = resident_host
    host.done(EnhanceOperation(), plain())
    [worker] = host.workers()
    running = until(host, submitted(host), phase="engine")
    time.sleep(AT_WORK_SECONDS)

    cancelled = host.http.delete(f"operations/{running.id}").json()

    assert (cancelled["state"], cancelled["error"]["code"]) == ("cancelled", "cancelled")
    assert is_gone(worker)
    assert host.client.status().busy == 0
    assert host.jobs() == []
    done = until(host, submitted(host), state="succeeded")
    assert done.id == running.id  # the key is that of the same operation
    assert enhanced(host, done)
    assert host.workers() != [worker]
    assert len(host.workers()) == 1


def test_a_host_that_stops_while_it_cancels_leaves_no_process(
    own_checkout: Checkout, drive: Drive
) -> None:
    host = drive(own_checkout, "--stop-seconds", "0")
    running = until(host, submitted(host), phase="engine")
    workers = host.workers()
    host.http.delete(f"operations/{running.id}")
    assert host.end() == 0
    assert all(map(is_gone, [*workers, *host.workers()]))
