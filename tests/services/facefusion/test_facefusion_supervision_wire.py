"""Messages between the host and its worker are damaged or missing; the host never hangs."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest

from storycanvas.faces.errors import EngineFailed, HostNotReady
from storycanvas.faces.operations import DetectOperation
from tests.support.facefusion.strange_python import write_strange_python
from tests.support.facefusion.supervised import Supervised
from tests.support.host.started_host import wait_until

OpenStrange = Callable[..., Supervised]
NO_ANSWERS = ["no JSON", '{"exit": "what"}', "[1, 2]", "", "\x00\ud7ff", "null"]


@pytest.fixture
def open_strange(tmp_path: Path) -> Iterator[OpenStrange]:
    """Opens an engine whose first processes behave as given."""
    with ExitStack() as stack:

        def start(*behaviours: str, **plan: Any) -> Supervised:
            engine = Supervised(tmp_path, python=tmp_path / "python", **plan)
            write_strange_python(tmp_path / "python", engine.checkout.home, *behaviours)
            return stack.enter_context(engine)

        yield start


@pytest.mark.parametrize(
    "behaviour", [*(f"{answer} " for answer in NO_ANSWERS), "ends after the mark"], ids=ascii
)
def test_a_missing_or_unreadable_answer_costs_one_attempt(
    open_strange: OpenStrange, behaviour: str
) -> None:
    assert len(open_strange(behaviour).run(DetectOperation()).faces) == 1


@pytest.mark.parametrize(
    ("behaviours", "message"),
    [
        (("no JSON", "no JSON"), "answered 'no JSON.*twice"),
        (("no JSON", "hello Good morning"), r"answered 'Good morning.*twice\."),
    ],
    ids=["answers", "a greeting"],
)
def test_two_unreadable_lines_are_an_error(
    open_strange: OpenStrange, behaviours: tuple[str, ...], message: str
) -> None:
    engine = open_strange(*behaviours)

    with pytest.raises(EngineFailed, match=message):
        engine.run(DetectOperation())

    assert len(engine.run(DetectOperation()).faces) == 1


@pytest.mark.parametrize("hello", ["no JSON", "null"])
def test_an_unreadable_greeting_costs_one_start(open_strange: OpenStrange, hello: str) -> None:
    engine = open_strange(f"hello {hello}")

    assert len(engine.run(DetectOperation()).faces) == 1
    assert (engine.engine.mode, engine.engine.readiness) == ("resident", "ok")


def test_a_facefusion_that_does_not_start_is_started_again_later(open_strange: OpenStrange) -> None:
    engine = open_strange("hello no JSON", "hello no JSON", restart_seconds=1.0)

    with pytest.raises(HostNotReady, match=r"could not be started.* answered 'no JSON"):
        engine.run(DetectOperation())

    assert engine.engine.readiness == "failed"
    wait_until(lambda: engine.engine.readiness == "ok")
    assert len(engine.run(DetectOperation()).faces) == 1


@pytest.mark.parametrize("before", [(), ("no JSON",)], ids=["from the start", "later"])
def test_an_unfit_facefusion_is_refused_by_name(
    open_strange: OpenStrange, before: tuple[str, ...]
) -> None:
    engine = open_strange(*before, 'hello {"unfit": "facefusion has no x"}', restart_seconds=0.0)

    with pytest.raises(HostNotReady, match=r"no x\. Check out an unmodified release"):
        engine.run(DetectOperation())


def test_an_unfit_facefusion_is_not_started_again(open_strange: OpenStrange) -> None:
    engine = open_strange('hello {"unfit": "facefusion has no x"}', restart_seconds=0.0)

    for _ in range(2):
        with pytest.raises(HostNotReady):
            engine.run(DetectOperation())


def test_an_answer_without_its_mark_counts(open_strange: OpenStrange) -> None:
    engine = open_strange("ends after its answer")

    assert engine.run(DetectOperation()).faces == ()
    assert len(engine.run(DetectOperation()).faces) == 1


def test_the_mark_of_a_worker_that_ended_counts_for_no_other(open_strange: OpenStrange) -> None:
    engine = open_strange("ends after the mark", "writes more after its answer")

    assert "the last word" in engine.run(DetectOperation()).log


def test_output_that_facefusion_prints_is_not_an_answer(open_strange: OpenStrange) -> None:
    engine = open_strange()
    engine.misbehave("print")

    disturbed = engine.run()

    assert disturbed.picture == engine.run().picture
    assert len(set(engine.checkout.begun())) == 1
