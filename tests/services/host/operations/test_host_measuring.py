"""An engine that measures what it has made does so in its slot, in a phase of its own."""

import json
import threading
from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.client.watching import OperationWatch
from storycanvas.faces.contract import IDEMPOTENCY_HEADER, OperationAnswer, OperationStatus
from storycanvas.faces.errors import BadField
from storycanvas.faces.measures.measure import Likeness
from storycanvas.faces.operations import AgeAdjustOperation, FaceOperation, MaskOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.gpu.pool.attempt import HostAttempt, OperationRequest
from storycanvas.gpu.pool.health import GpuHost
from storycanvas.gpu.pool.pool import HostPool
from storycanvas.host.engines.cancelling import current_cancellation
from storycanvas.host.engines.engine import EngineResult
from storycanvas.host.engines.measuring import current_measuring
from tests.support.host.gated_engine import GatedEngine
from tests.support.host.pictures import encoded
from tests.support.host.scripted_host import DONE, INPUT, Scripted, ScriptedHost, refused
from tests.support.host.submitting import read, submitted, until
from tests.support.host.threaded_host import OpenHost, ThreadedHost

AGE = AgeAdjustOperation(target_age=30)
LIKENESS = Likeness(compared_with="input", after=0.1, scale="facefusion")
GATE_SECONDS = 60
UNKNOWN_FIELD = refused(422, "bad_field", retryable=False)
MADE = Scripted(200, json.dumps(json.loads(DONE.body) | {"output_path": "asset:made.png"}).encode())


class MeasuringEngine(GatedEngine):
    """Measures until the test, or a cancellation, lets it end."""

    def __init__(self, **given: Any) -> None:
        super().__init__(**given)
        self.measuring = threading.Event()
        self.measured = threading.Event()

    def let_through(self, calls: int = 1) -> None:
        super().let_through(calls)
        self.measured.set()

    def run(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        result = super().run(operation, pictures)
        if not current_measuring().wanted:
            return result
        current_measuring().begin()
        self.measuring.set()
        with current_cancellation().ended_by(self.measured.set):
            assert self.measured.wait(GATE_SECONDS)
            current_cancellation().check()
        return replace(result, likeness=LIKENESS)


@pytest.fixture
def host(open_host: OpenHost) -> ThreadedHost:
    return open_host(MeasuringEngine())


def measuring(host: ThreadedHost, key: str | None = None) -> OperationStatus:
    """Submit an operation and wait until it is measured."""
    status = submitted(host, host.upload(encoded()), key=key)
    while status.phase != "measuring":
        status = read(host, status.id, wait=10, after=status.revision)
        assert not status.has_ended, status
    return status


def test_the_slot_is_held_while_it_measures(host: ThreadedHost) -> None:
    first = measuring(host)
    second = submitted(host, host.upload(encoded()), 40)

    assert (first.state, host.status()["busy"], host.status()["queued"]) == ("running", 1, 1)
    host.engine.let_through()
    assert until(host, second.id, "succeeded").result is not None


def test_its_seconds_are_neither_the_engines_nor_those_of_waiting(host: ThreadedHost) -> None:
    running = measuring(host)
    running = read(host, running.id, wait=0.3, after=running.revision)  # nothing changes meanwhile
    host.engine.let_through()
    ended = until(host, running.id, "succeeded")

    assert ended.result is not None
    assert ended.result.likeness == LIKENESS
    assert ended.result.phases is not None
    phases = ended.result.phases
    assert phases.measure > 0.3 > phases.engine + phases.queue
    assert phases.engine == ended.result.processing_time_seconds


def test_it_can_be_cancelled_and_asked_for_again(host: ThreadedHost) -> None:
    running = measuring(host, "measured-key")

    assert host.client.delete(f"operations/{running.id}").json()["state"] == "cancelled"
    assert host.status()["busy"] == 0
    host.engine.let_through()
    again = until(host, measuring_again(host, running), "succeeded")
    assert again.result is not None
    assert again.result.likeness == LIKENESS


def measuring_again(host: ThreadedHost, earlier: OperationStatus) -> str:
    again = submitted(host, host.upload(encoded()), key="measured-key")
    assert again.id == earlier.id
    return again.id


def test_a_client_is_told_that_the_engine_is_free_only_after_it(
    host: ThreadedHost, tmp_path: Path
) -> None:
    engine, ended = host.engine, threading.Event()
    assert isinstance(engine, MeasuringEngine)
    picture = tmp_path / "picture.png"
    picture.write_bytes(encoded())
    watch = OperationWatch(ended.set)
    with FaceHostClient(host.url) as client, ThreadPoolExecutor(1) as callers:
        asset = client.upload(picture)
        waiting = callers.submit(client.operate, AGE, [asset], "watched", watch=watch)
        assert engine.measuring.wait(GATE_SECONDS)
        told_too_early = ended.wait(0.3)
        engine.let_through()
        assert waiting.result().likeness == LIKENESS
    assert not told_too_early
    assert ended.is_set()


@pytest.mark.parametrize(("operation", "sent"), [(AGE, True), (MaskOperation(), False)])
def test_a_client_that_wants_no_measure_says_so_where_something_would_be_measured(
    operation: FaceOperation, sent: bool
) -> None:
    with ScriptedHost(MADE) as scripted, FaceHostClient(scripted.url) as client:
        client.operate(operation, INPUT, "unmeasured", measure=False)

    body = json.loads(scripted.arrived[0].body)
    assert body.get("measure") is (False if sent else None)


def operate_at(scripted: ScriptedHost, *, measure: bool) -> OperationAnswer:
    """Have an operation done as a run does it once it holds the slot."""
    request = OperationRequest(AGE, ("e", "1"), lambda _: INPUT, "run", "none", wait_seconds=1)
    with HostPool([GpuHost(scripted.url, "a limit")]) as pool:
        (host,) = pool.hosts.values()
        attempt = HostAttempt(pool, request, 0, frozenset())
        return attempt.operate(host, INPUT, "unmeasured", lambda: None, measure=measure)


def test_a_host_that_does_not_know_the_field_is_asked_once_more_without_it() -> None:
    with ScriptedHost(UNKNOWN_FIELD, MADE) as older:
        answer = operate_at(older, measure=False)

    bodies = [json.loads(arrived.body) for arrived in older.arrived]
    keys = {arrived.headers[IDEMPOTENCY_HEADER] for arrived in older.arrived}
    assert [body.pop("measure", "left out") for body in bodies] == [False, "left out"]
    assert bodies[0] == bodies[1]
    assert keys == {"unmeasured"}
    assert answer.output_path == "asset:made.png"


@pytest.mark.parametrize(("measure", "requests"), [(True, 1), (False, 2)])
def test_a_host_that_refuses_the_operation_itself_is_not_asked_again_and_again(
    measure: bool, requests: int
) -> None:
    with ScriptedHost(UNKNOWN_FIELD) as refusing, pytest.raises(BadField):
        operate_at(refusing, measure=measure)

    assert len(refusing.arrived) == requests


def test_what_an_older_host_answers_has_no_likeness_and_took_no_time_to_measure() -> None:
    older = {"queue": 0, "decode": 0, "engine": 1, "encode": 0}
    answer = OperationAnswer.model_validate(json.loads(DONE.body) | {"phases": older})

    assert answer.phases is not None
    assert (answer.likeness, answer.likeness_not_measured) == (None, None)
    assert answer.phases.measure == 0


def test_a_likeness_is_read_whatever_a_newer_host_adds() -> None:
    assert Likeness.model_validate(LIKENESS.model_dump() | {"later": 1}) == LIKENESS
