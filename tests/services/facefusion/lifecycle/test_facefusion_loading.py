"""Models are loaded before they are asked for, and their memory is given back when asked."""

import os
import re
import sys
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from pathlib import Path

import httpx
import pytest

from storycanvas.faces.contract import HostStatus
from storycanvas.faces.errors import HostNotReady, OperationCancelled
from storycanvas.faces.operations import DetectOperation, EnhanceOperation, SwapOperation
from storycanvas.host.engines.cancelling import Cancellation
from storycanvas.host.engines.facefusion.engine import FaceFusionEngine
from tests.support.facefusion.checkouts import HOME_VARIABLE, Checkout, stand_in
from tests.support.facefusion.driven_host import Drive, DrivenHost
from tests.support.facefusion.gated_checkout import is_gone
from tests.support.facefusion.made_pictures import plain
from tests.support.facefusion.stand_in.checkout import (
    loads,
    misbehave,
    operations,
    write_weights,
)
from tests.support.facefusion.supervised import OpenEngine, Supervised, portrait
from tests.support.host.started_host import wait_until
from tests.support.host.threaded_host import HeldUp

NAMES = ("gfpgan_1.4", "inswapper_128", "detect")
PRELOAD = ("--preload", ",".join(NAMES))


def told(host: DrivenHost, what: str) -> HostStatus:
    answer = host.http.post(f"engine/{what}")
    assert answer.status_code == 200, answer.text
    return HostStatus.model_validate(answer.json())


def figure(host: DrivenHost, name: str) -> float:
    lines = host.http.get(f"{host.url}/metrics").text.splitlines()
    [line] = [line for line in lines if line.startswith(f"storycanvas_host_{name} ")]
    return float(line.split()[1])


def run_cancellable(engine: Supervised, cancellation: Cancellation) -> object:
    with cancellation.active():
        return engine.run()


def started(engine: Supervised) -> Supervised:
    wait_until(lambda: engine.engine.readiness != "starting")
    return engine


def test_models_are_loaded_before_the_status_is_ok(own_checkout: Checkout, drive: Drive) -> None:
    if HOME_VARIABLE not in os.environ:
        write_weights(own_checkout.home, "inswapper_128", b"hangs")
    host = drive(own_checkout, *PRELOAD)
    first = host.http.get("status")
    assert (first.status_code, first.json()["status"]) == (503, "starting")
    phases = {host.client.status().loading}
    (own_checkout.home / "open").touch()
    while (status := host.client.status()).status == "starting":
        phases.add(status.loading)
    assert (status.status, status.loading, status.reason) == ("ok", (), None)
    assert phases & {NAMES[place:] for place in range(3)}
    assert [line for line in host.log().splitlines() if line.endswith("is loaded")][1:]
    before = host.workers()
    host.done(EnhanceOperation(), plain())
    host.done(SwapOperation(), plain(), plain())
    assert host.workers() == before


def test_memory_is_given_back_and_taken_again(own_checkout: Checkout, drive: Drive) -> None:
    host = drive(own_checkout, *PRELOAD)
    assert host.ready().engine_loaded
    expected = host.done(EnhanceOperation(), plain()).png
    before = host.workers()

    freed = told(host, "unload")

    assert (host.workers(), freed.engine_loaded, freed.status) == ([], False, "ok")
    assert told(host, "unload").model_copy(update={"execution": None}) == freed.model_copy(
        update={"execution": None}
    )
    execution = host.client.status().execution
    assert execution is not None
    assert execution.memory is not None
    assert (execution.used, execution.memory.used_bytes) == (("cpu",), 0)
    assert (figure(host, "engine_loaded"), figure(host, "ready")) == (0, 1)
    assert told(host, "load").engine_loaded
    again = host.workers()
    assert len(again) == 1
    assert again != before
    told(host, "load")
    assert host.done(EnhanceOperation(face_enhancer_blend=0.9), plain()).png != expected
    assert host.workers() == again
    told(host, "unload")
    assert host.done(DetectOperation(), plain()).answer.total_faces == 1
    assert (figure(host, "engine_loaded"), figure(host, "engine_restarts_total")) == (1, 0)


@pytest.mark.skipif(not os.environ.get(HOME_VARIABLE), reason="FaceFusion itself is not named")
def test_memory_is_given_back_after_a_time_without_work(
    own_checkout: Checkout, drive: Drive
) -> None:
    host = drive(own_checkout, "--idle-unload-minutes", "0.02")
    host.ready()
    wait_until(lambda: not host.client.status().engine_loaded)
    assert host.workers() == []
    host.done(EnhanceOperation(), plain())
    assert host.client.status().engine_loaded
    wait_until(lambda: not host.client.status().engine_loaded)
    assert host.log().count("nothing was done for 0.02 min") == 2


@pytest.mark.parametrize("slots", [1, 2])
def test_every_process_has_its_models(open_engine: OpenEngine, slots: int) -> None:
    engine = started(open_engine(preload=NAMES, slots=slots))
    found = loads(engine.checkout.home)
    assert engine.engine.readiness == "ok"
    assert {pid for pid, _ in found} == set(engine.processes())
    for name in ("gfpgan_1.4", "inswapper_128", "yoloface_8n", "nsfw_1", "arcface_w600k_r50"):
        assert sum(loaded == name for _, loaded in found) == slots
    engine.run()
    engine.run(SwapOperation(), [portrait(), portrait(130)])
    assert loads(engine.checkout.home) == found


@pytest.mark.parametrize(
    ("content", "crc", "reason"),
    [
        (b"damaged", "00000000", r"--preload inswapper_128 failed: FaceFusion has inswapper_128"),
        (b"broken", None, r"--preload inswapper_128 failed: FaceFusion's process ended by itself"),
    ],
    ids=["differs from its checksum", "does not load"],
)
def test_what_cannot_be_loaded_is_told_and_the_rest_is_loaded(
    open_engine: OpenEngine, content: bytes, crc: str | None, reason: str
) -> None:
    names = ("codeformer", *NAMES)
    engine = started(open_engine(preload=names, weights={"inswapper_128": (content, crc)}))

    health = engine.engine.health

    assert engine.engine.readiness == "ok"
    assert re.search(reason, str(health.reason)), health.reason
    assert str(engine.checkout.home) not in str(health.reason)
    assert (health.loading, health.loaded) == ((), True)
    [process] = engine.processes()
    had = {name for pid, name in loads(engine.checkout.home) if pid == process}
    assert {"codeformer", "gfpgan_1.4", "nsfw_1"} <= had
    assert engine.run().picture is not None
    write_weights(engine.checkout.home, "inswapper_128", b"repaired")
    engine.engine.load()
    assert engine.engine.health.reason is None


def test_the_running_operation_ends_before_its_memory_is_given_back(
    open_engine: OpenEngine,
) -> None:
    engine = open_engine(slots=2)
    engine.misbehave("gate")
    running = engine.run_meanwhile()
    process = engine.checkout.next_to_begin()
    with ThreadPoolExecutor(2) as callers:
        unloads = [callers.submit(engine.engine.unload) for _ in range(2)]
        assert not running.done()
        assert not is_gone(process)
        engine.checkout.open_gate()
        for unload in unloads:
            unload.result(10)
    assert running.result(10).picture is not None
    assert engine.processes() == []
    assert engine.run().picture is not None
    assert engine.engine.health.restarts == 0


def test_an_operation_that_waits_for_a_load_can_be_cancelled(open_engine: OpenEngine) -> None:
    engine = started(open_engine(preload=NAMES))
    write_weights(engine.checkout.home, "inswapper_128", b"hangs")
    cancellation = Cancellation()
    with ThreadPoolExecutor(2) as callers:
        loading = callers.submit(engine.engine.load)
        wait_until(lambda: engine.engine.health.loading == NAMES[1:])
        assert engine.engine.readiness == "starting"  # another host is asked meanwhile
        waiting = callers.submit(run_cancellable, engine, cancellation)
        assert not cancellation.cancel()  # nothing of its own is to be ended
        with pytest.raises(OperationCancelled):
            waiting.result(5)
        assert not loading.done()
        engine.engine.close()
        with pytest.raises(HostNotReady):
            loading.result(10)
    assert engine.processes() == []


def test_a_host_is_starting_while_a_load_only_starts_processes(
    tmp_path: Path, open_engine: OpenEngine
) -> None:
    gate, launcher = tmp_path / "gate", tmp_path / "python"
    wait = f"while [ -e '{gate}' ]; do sleep 0.05; done"
    launcher.write_text(f'#!/bin/sh\n{wait}\nexec {sys.executable} "$@"\n')
    launcher.chmod(0o755)
    engine = started(open_engine(python=launcher))
    engine.engine.unload()
    gate.touch()
    with ThreadPoolExecutor(1) as callers:
        loading = callers.submit(engine.engine.load)
        wait_until(lambda: engine.engine.readiness == "starting")
        assert engine.engine.health.loading == ()
        gate.unlink()
        loading.result(30)
    assert engine.engine.readiness == "ok"


def test_an_engine_that_does_not_start_loads_nothing(open_engine: OpenEngine) -> None:
    engine = started(open_engine(python=Path("/no/python"), preload=NAMES))
    assert engine.engine.readiness == "failed"
    for work in (engine.engine.load, engine.engine.unload):
        with pytest.raises(HostNotReady, match="could not be started"):
            work()


def test_an_operation_waits_while_a_failed_start_is_tried_again(
    tmp_path: Path, open_engine: OpenEngine, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = HeldUp(monkeypatch, FaceFusionEngine, "_refuse_unless_running")
    python, launcher = tmp_path / "python", tmp_path / "launcher"
    launcher.write_text(f'#!/bin/sh\nexec {sys.executable} "$@"\n')
    hangs = {"inswapper_128": (b"hangs", None)}
    engine = started(open_engine(python=python, preload=NAMES, restart_seconds=0.1, weights=hangs))
    cancellation = Cancellation()
    with ThreadPoolExecutor(1) as callers:
        waiting = callers.submit(run_cancellable, engine, cancellation)
        assert gate.entered.wait(10)  # FaceFusion could not be started, but is soon
        launcher.chmod(0o755)
        launcher.rename(python)
        wait_until(lambda: engine.engine.health.loading == NAMES[1:])
        gate.go_on.set()
        with pytest.raises(TimeoutError):
            waiting.result(0.3)
        assert not cancellation.cancel()  # the process that loads is not its own
        with pytest.raises(OperationCancelled):
            waiting.result(5)
    assert engine.engine.health.loading == NAMES[1:]
    engine.engine.close()


@pytest.mark.parametrize("killed", [False, True], ids=["stopped", "killed"])
def test_a_host_that_ends_while_it_loads_leaves_no_process(
    tmp_path: Path, drive: Drive, killed: bool
) -> None:
    checkout = stand_in(tmp_path / "home")
    write_weights(checkout.home, "inswapper_128", b"hangs")
    host = drive(checkout, *PRELOAD, "--stop-seconds", "0")
    wait_until(lambda: "inswapper_128" in [name for _, name in loads(checkout.home)])
    [process] = host.workers()
    assert host.client.status().loading == NAMES[1:]

    assert (host.kill() if killed else host.end()) == (-9 if killed else 0)

    wait_until(lambda: is_gone(process))


def test_a_host_that_stops_while_memory_is_to_be_given_back_leaves_no_process(
    tmp_path: Path, drive: Drive
) -> None:
    checkout = stand_in(tmp_path / "home")
    host = drive(checkout, "--stop-seconds", "0")
    host.ready()
    misbehave(checkout.home, "hang")
    with ThreadPoolExecutor(1) as callers:
        running = callers.submit(host.post, EnhanceOperation(), plain())
        wait_until(lambda: bool(operations(checkout.home)))
        assert host.http.post("engine/unload", params={"wait": 0}).status_code == 202
        [process] = host.workers()
        assert host.end() == 0
        with suppress(httpx.HTTPError):
            running.result(10)
    assert is_gone(process)
    assert "Exception in thread" not in host.log()
    assert "was destroyed" not in host.log()
