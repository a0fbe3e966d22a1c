"""What goes between the host and its worker is damaged or missing; the host never hangs over it."""

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


@pytest.mark.parametrize("answer", NO_ANSWERS, ids=ascii)
def test_an_unreadable_answer_costs_one_attempt(open_strange: OpenStrange, answer: str) -> None:
    engine = open_strange(f"{answer} ")

    assert len(engine.run(DetectOperation()).faces) == 1


def test_two_unreadable_answers_are_an_error(open_strange: OpenStrange) -> None:
    engine = open_strange("no JSON", "no JSON")

    with pytest.raises(EngineFailed, match="twice"):
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


def test_an_unfit_facefusion_is_not_started_again(open_strange: OpenStrange) -> None:
    engine = open_strange('hello {"unfit": "facefusion has no x"}', restart_seconds=0.0)

    for _ in range(2):
        with pytest.raises(HostNotReady, match=r"no x\. Check out an unmodified release"):
            engine.run(DetectOperation())


def test_a_facefusion_that_becomes_unfit_is_refused_by_name(open_strange: OpenStrange) -> None:
    unfit = 'hello {"unfit": "facefusion has no x"}'
    engine = open_strange("no JSON", unfit)

    with pytest.raises(HostNotReady, match=r"no x\. Check out an unmodified release"):
        engine.run(DetectOperation())


def test_a_strange_greeting_later_is_shown(open_strange: OpenStrange) -> None:
    engine = open_strange("no JSON", "hello Good morning")

    with pytest.raises(EngineFailed, match=r"answered 'Good morning.*twice\."):
        engine.run(DetectOperation())

    assert len(engine.run(DetectOperation()).faces) == 1


def test_a_worker_that_ends_without_an_answer_costs_one_attempt(
    open_strange: OpenStrange,
) -> None:
    engine = open_strange("ends after the mark")

    assert len(engine.run(DetectOperation()).faces) == 1


def test_an_answer_counts_though_its_worker_ended_before_the_mark(
    open_strange: OpenStrange,
) -> None:
    engine = open_strange("ends after its answer")

    assert engine.run(DetectOperation()).faces == ()
    assert len(engine.run(DetectOperation()).faces) == 1


def test_the_mark_of_a_worker_that_ended_counts_for_no_other(open_strange: OpenStrange) -> None:
    engine = open_strange("ends after the mark", "says more after its answer")

    assert "the last word" in engine.run(DetectOperation()).log


def test_output_that_facefusion_prints_is_not_an_answer(open_strange: OpenStrange) -> None:
    engine = open_strange()
    engine.misbehave("print")

    disturbed = engine.run()

    assert disturbed.picture == engine.run().picture
    assert len(set(engine.checkout.begun())) == 1
