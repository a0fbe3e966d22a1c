"""Loading and unloading the engine over HTTP: in order, joined, and after a time without work."""

import asyncio
import threading
import time
from dataclasses import replace
from typing import Any

import httpx
import pytest

from storycanvas.faces.errors import HostNotReady
from storycanvas.host.engines.engine import EngineHealth
from storycanvas.host.operations.engine_memory import EngineMemory
from storycanvas.host.operations.work_queue import WorkQueue
from tests.support.host.gated_engine import GatedEngine
from tests.support.host.pictures import encoded
from tests.support.host.started_host import StartHost, wait_until
from tests.support.host.threaded_host import OpenHost, ThreadedHost, code

TOKEN = "made-up-token"  # noqa: S105 - made up


class HeavyEngine(GatedEngine):
    """An engine whose moves can be held, and counted."""

    def __init__(self, *, held: bool = False, failure: Exception | None = None) -> None:
        super().__init__()
        self.moves: list[str] = []
        self.go = threading.Event()
        self._failure = failure
        self.health: EngineHealth = EngineHealth()
        if not held:
            self.go.set()

    def load(self) -> None:
        self._move("load", loaded=True)

    def unload(self) -> None:
        self._move("unload", loaded=False)

    def _move(self, name: str, *, loaded: bool) -> None:
        self.moves.append(name)
        assert self.go.wait(30)
        if self._failure is not None:
            raise self._failure
        self.health = replace(self.health, loaded=loaded)


def asked(host: ThreadedHost, name: str, **query: Any) -> httpx.Response:
    return host.client.post(f"engine/{name}", params=query)


def test_memory_is_given_back_and_the_answer_is_the_status(open_host: OpenHost) -> None:
    engine = HeavyEngine()
    host = open_host(engine)
    for name, loaded in (("unload", False), ("unload", False), ("load", True), ("load", True)):
        answer = asked(host, name)
        assert (answer.status_code, answer.json()["engine_loaded"]) == (200, loaded)
        assert answer.json() == host.status()
    assert engine.moves == ["unload", "unload", "load", "load"]


def test_what_takes_longer_is_202_and_joined(open_host: OpenHost) -> None:
    engine = HeavyEngine(held=True)
    host = open_host(engine)
    assert [asked(host, "unload", wait=0).status_code for _ in range(3)] == [202] * 3
    assert [asked(host, "load", wait=0).status_code for _ in range(2)] == [202] * 2
    assert engine.moves == ["unload"]
    engine.go.set()
    wait_until(lambda: len(engine.moves) > 1 and engine.health.loaded)
    assert engine.moves == ["unload", "load"]
    assert asked(host, "load").status_code == 200


def test_of_moves_that_wait_only_the_last_is_made(open_host: OpenHost) -> None:
    engine = HeavyEngine(held=True)
    host = open_host(engine)
    for name in ["unload", "load"] * 5:
        assert asked(host, name, wait=0).status_code == 202
    engine.go.set()
    wait_until(lambda: len(engine.moves) > 1)
    assert asked(host, "load").json()["engine_loaded"] is True  # loaded once more, or joined
    assert engine.moves in (["unload", "load"], ["unload", "load", "load"])


def test_time_without_work_does_not_pass_while_a_load_goes_on() -> None:
    engine = HeavyEngine(held=True)  # it has processes, which is all that it would load
    idle_seconds = 0.2

    async def load_then_wait() -> float:
        memory = EngineMemory(engine, WorkQueue(1, 1, 60), idle_seconds)
        keeping_up = asyncio.create_task(memory.keep_up())
        assert not await memory.load(2 * idle_seconds)
        engine.go.set()
        assert await memory.load(30)
        loaded_at = time.monotonic()
        await asyncio.to_thread(wait_until, lambda: engine.moves == ["load", "unload"])
        keeping_up.cancel()
        return time.monotonic() - loaded_at

    assert asyncio.run(asyncio.wait_for(load_then_wait(), 30)) > 0.8 * idle_seconds


def test_what_the_engine_refuses_is_not_ready(open_host: OpenHost) -> None:
    host = open_host(HeavyEngine(failure=HostNotReady("FaceFusion could not be started.")))
    assert code(asked(host, "load")) == (503, "not_ready")
    assert code(asked(host, "unload")) == (503, "not_ready")


def test_what_was_not_loaded_is_told(open_host: OpenHost) -> None:
    engine = HeavyEngine()
    engine.health = EngineHealth(reason="--preload fran failed: it is not there.")
    host = open_host(engine)
    answer = asked(host, "load")
    assert code(answer) == (503, "not_ready")
    assert "--preload fran failed" in answer.json()["error"]["message"]
    assert host.client.get("status").status_code == 200  # the rest works


@pytest.mark.parametrize("wait", ["-1", "3601", "nan", "soon"])
def test_a_wait_out_of_its_range_is_refused(host: ThreadedHost, wait: str) -> None:
    assert code(asked(host, "unload", wait=wait))[1] in {"out_of_range", "bad_field"}


def test_a_caller_needs_the_token(open_host: OpenHost) -> None:
    engine = HeavyEngine()
    host = open_host(engine, token=TOKEN)
    assert code(asked(host, "unload")) == (401, "unauthorized")
    assert engine.moves == []
    token = {"Authorization": f"Bearer {TOKEN}"}
    assert host.client.post("engine/unload", headers=token).status_code == 200


def test_memory_is_given_back_once_after_a_time_without_work(open_host: OpenHost) -> None:
    engine = HeavyEngine()
    host = open_host(engine, idle_unload_minutes=0.2 / 60)
    wait_until(lambda: engine.moves == ["unload"])
    engine.health = EngineHealth(loading=("detect",))  # as long as it loads, time does not pass
    host.age(host.upload(encoded()))
    assert engine.moves == ["unload"]
    engine.health = EngineHealth()
    wait_until(lambda: engine.moves == ["unload"] * 2)


def test_the_preview_engine_takes_the_same_requests(start_host: StartHost) -> None:
    host = start_host(arguments=("--preload", "gfpgan_1.4,detect", "--idle-unload-minutes", "5"))
    for name in ("unload", "load"):
        answer = host.client.post(f"engine/{name}")
        assert (answer.status_code, answer.json()["engine_loaded"]) == (200, True)
