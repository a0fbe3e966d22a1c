"""The host is killed or asked to stop while FaceFusion works."""

import io
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path

import psutil
import pytest
from PIL import Image

from storycanvas.faces.errors import HostUnreachable
from tests.support.facefusion.asking import Answered, ask_and_go_away, ask_anew, ask_until_answered
from tests.support.facefusion.checkouts import Checkout
from tests.support.facefusion.driven_host import Drive, DrivenHost
from tests.support.facefusion.gated_checkout import (
    LATER_PROGRESS,
    PROGRESS,
    GatedCheckout,
    is_gone,
    wait_until,
)
from tests.support.facefusion.gated_host import Gated, interrupt_terminal
from tests.support.facefusion.stand_in.checkout import misbehave

ISOLATED = ("--isolated",)


OpenGated = Callable[..., Gated]


@pytest.fixture
def caller() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(1) as executor:
        yield executor


@pytest.fixture
def open_gated(tmp_path: Path, drive: Drive) -> OpenGated:
    """Starts a host and calls for an operation, up to the gate."""

    def start(call: Callable[[str], object], *arguments: str) -> Gated:
        checkout = GatedCheckout(tmp_path / "home")
        misbehave(checkout.home, "gate")

        def drive_it(*more: str) -> DrivenHost:
            return drive(Checkout(checkout.home, Path(sys.executable)), *arguments, *more)

        host = drive_it()
        call(host.url)
        return Gated(host, checkout, checkout.next_to_begin(), drive_it)

    return start


def is_right(answered: Answered) -> bool:
    """The face is brighter, by what the default model does in the stand-in."""
    image = Image.open(io.BytesIO(answered.picture.png))
    return image.getpixel((48, 48)) == (158, 158, 158)


def test_a_client_gets_its_answer_though_the_host_was_killed(
    open_gated: OpenGated, caller: ThreadPoolExecutor
) -> None:
    asked: list[Future[Answered]] = []
    gated = open_gated(lambda url: asked.append(caller.submit(ask_until_answered, url)))

    gated.killed()
    wait_until(lambda: is_gone(gated.process))
    gated.restarted()

    assert is_right(asked[0].result())
    first, second = gated.checkout.begun()
    assert first == gated.process
    assert gated.checkout.ended() == [second]


def test_an_isolated_process_is_ended_before_the_next_host_begins(
    open_gated: OpenGated, caller: ThreadPoolExecutor
) -> None:
    asked: list[Future[Answered]] = []
    gated = open_gated(lambda url: asked.append(caller.submit(ask_until_answered, url)), *ISOLATED)

    gated.killed()
    gated.restarted()

    assert is_gone(gated.process)
    assert is_right(asked[0].result())
    assert gated.checkout.begun()[1:] == gated.checkout.ended()


def test_a_result_that_was_kept_and_not_sent_is_not_made_again(open_gated: OpenGated) -> None:
    gated = open_gated(goes_away)
    gated.checkout.open_gate()
    wait_until(lambda: len(gated.results()) == 1)

    gated.killed()
    again = gated.restarted()

    assert is_right(ask_until_answered(again.url))
    assert len(gated.checkout.begun()) == 1
    assert again.client.status().operations == 0


def test_a_restart_removes_what_a_killed_host_left(open_gated: OpenGated) -> None:
    gated = open_gated(goes_away, *ISOLATED)
    gated.killed()
    assert gated.host.jobs() != []
    assert gated.process in gated.notes()

    again = gated.restarted()

    assert again.jobs() == []
    assert gated.process not in gated.notes()


@pytest.mark.parametrize("mode", [(), ISOLATED], ids=["resident", "isolated"])
@pytest.mark.parametrize("stop", [subprocess.Popen.terminate, interrupt_terminal])
def test_a_stop_lets_the_operation_end_and_turns_others_away(
    open_gated: OpenGated,
    caller: ThreadPoolExecutor,
    stop: Callable[[subprocess.Popen[str]], None],
    mode: tuple[str, ...],
) -> None:
    asked: list[Future[Answered]] = []
    gated = open_gated(lambda url: asked.append(caller.submit(ask_until_answered, url)), *mode)
    family = psutil.Process(gated.host.process.pid).children(recursive=True)

    stop(gated.host.process)
    wait_until(lambda: gated.host.client.status().status == "stopping")
    refused = ask_anew(gated.host.url)
    gated.checkout.open_gate()

    assert is_right(asked[0].result())
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "not_ready")
    assert int(refused.headers["retry-after"]) > 0
    assert gated.host.end() == 0
    assert len(gated.results()) == 1
    assert gated.checkout.begun() == gated.checkout.ended()
    assert all(is_gone(process.pid) for process in family)


def test_facefusions_messages_are_logged_at_once_and_sent_to_the_caller(
    open_gated: OpenGated, caller: ThreadPoolExecutor
) -> None:
    asked: list[Future[Answered]] = []
    gated = open_gated(lambda url: asked.append(caller.submit(ask_until_answered, url)))

    wait_until(lambda: PROGRESS in gated.host.log())
    assert not asked[0].done()

    gated.checkout.open_gate()
    lines = asked[0].result().answer.engine_log
    assert lines[:2] == (PROGRESS, LATER_PROGRESS)
    assert any("processing to image succeeded" in line for line in lines)


def goes_away(url: str) -> None:
    with pytest.raises(HostUnreachable):
        ask_and_go_away(url)
