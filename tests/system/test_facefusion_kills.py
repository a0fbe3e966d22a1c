"""The host is killed or asked to stop while FaceFusion works."""

import io
import os
import signal
import subprocess
import sys
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple

import httpx
import psutil
import pytest
import stamina
from PIL import Image

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.client.timeouts import Timeouts
from storycanvas.faces.contract import OperationAnswer, OperationState
from storycanvas.faces.errors import HostUnreachable
from storycanvas.faces.operations import EnhanceOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.operations.records import OperationRecords
from storycanvas.net.retry import RetryPolicy
from tests.support.facefusion.checkouts import Checkout
from tests.support.facefusion.driven_host import Drive, DrivenHost
from tests.support.facefusion.gated_checkout import LATER_PROGRESS, PROGRESS, GatedCheckout, is_gone
from tests.support.facefusion.stand_in.checkout import misbehave
from tests.support.facefusion.supervised import portrait
from tests.support.host.started_host import wait_until

ISOLATED = ("--isolated",)
KEY = "the-only-one"
PATIENT = RetryPolicy(tries=1000, first_wait=0.05, longest_wait=0.2, patience=60.0)
GIVES_UP_SOON = Timeouts(answers={EnhanceOperation.path: 0.3})


@dataclass(frozen=True)
class Answered:
    answer: OperationAnswer
    picture: Picture


def ask_until_answered(url: str) -> Answered:
    with stamina.set_testing(False), FaceHostClient(url, retries=PATIENT) as client:
        answer = client.operate(EnhanceOperation(), [client.upload(portrait())], KEY)
        return Answered(answer, client.download(answer.output_path or "none"))


def ask_and_go_away(url: str) -> None:
    """Give up before the answer comes."""
    with (
        FaceHostClient(url, timeouts=GIVES_UP_SOON, retries=RetryPolicy(tries=1)) as client,
        pytest.raises(HostUnreachable),
    ):
        client.operate(EnhanceOperation(), [client.upload(portrait())], KEY)


def ask_anew(url: str) -> httpx.Response:
    """Ask for another operation than the one above."""
    body = {"source_path": f"asset:{portrait().asset_name}"}
    return httpx.post(f"{url}/api/v1/detect-faces", json=body)


class Gated(NamedTuple):
    """A host whose first operation is at the gate."""

    host: DrivenHost
    checkout: GatedCheckout
    process: int
    start: Callable[..., DrivenHost]

    def killed(self) -> None:
        self.host.process.kill()
        self.host.process.wait()

    def restarted(self) -> DrivenHost:
        return self.start("--port", self.host.url.rpartition(":")[2])

    def ends(self) -> list[OperationState]:
        """What the operations have come to whose ends are kept on the disk."""
        records = OperationRecords(self.host.data_dir / "operations")
        return [status.state for _, status in records.ended_ones()]

    def notes(self) -> set[int]:
        """The processes of FaceFusion that the host has notes on."""
        folder = self.host.data_dir / "facefusion" / "pids"
        return {int(note.stem) for note in folder.glob("*.json")}


def interrupt_terminal(host: subprocess.Popen[str]) -> None:
    """Do what Ctrl-C does: a signal to every process of the host's own group."""
    own = psutil.Process(host.pid)
    group = os.getpgid(host.pid)
    for process in (*own.children(recursive=True), own):
        if os.getpgid(process.pid) == group:
            process.send_signal(signal.SIGINT)


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


OpenAsked = Callable[..., tuple[Gated, Future[Answered]]]


@pytest.fixture
def open_asked(open_gated: OpenGated, caller: ThreadPoolExecutor) -> OpenAsked:
    """Starts a host that a client asks until it gets its answer."""

    def start(*arguments: str) -> tuple[Gated, Future[Answered]]:
        asked: list[Future[Answered]] = []
        gated = open_gated(
            lambda url: asked.append(caller.submit(ask_until_answered, url)), *arguments
        )
        return gated, asked[0]

    return start


def is_right(answered: Answered) -> bool:
    """The face is brighter, by what the default model does in the stand-in."""
    image = Image.open(io.BytesIO(answered.picture.png))
    return image.getpixel((48, 48)) == (158, 158, 158)


def test_a_client_gets_its_answer_though_the_host_was_killed(open_asked: OpenAsked) -> None:
    gated, asked = open_asked()

    gated.killed()
    wait_until(lambda: is_gone(gated.process))
    gated.restarted()

    assert is_right(asked.result())
    first, second = gated.checkout.begun()
    assert first == gated.process
    assert gated.checkout.ended() == [second]


def test_an_isolated_process_is_ended_before_the_next_host_begins(open_asked: OpenAsked) -> None:
    gated, asked = open_asked(*ISOLATED)

    gated.killed()
    gated.restarted()

    assert is_gone(gated.process)
    assert is_right(asked.result())
    assert gated.checkout.begun()[1:] == gated.checkout.ended()


def test_a_result_that_was_kept_and_not_sent_is_not_made_again(open_gated: OpenGated) -> None:
    gated = open_gated(ask_and_go_away)
    gated.checkout.open_gate()
    wait_until(lambda: gated.ends() == ["succeeded"])

    gated.killed()
    again = gated.restarted()

    assert is_right(ask_until_answered(again.url))
    assert len(gated.checkout.begun()) == 1
    assert again.client.status().operations == 0


def test_a_restart_removes_what_a_killed_host_left(open_gated: OpenGated) -> None:
    gated = open_gated(ask_and_go_away, *ISOLATED)
    gated.killed()
    assert gated.host.jobs() != []
    assert gated.process in gated.notes()

    again = gated.restarted()

    assert again.jobs() == []
    assert gated.process not in gated.notes()


@pytest.mark.parametrize("mode", [(), ISOLATED], ids=["resident", "isolated"])
@pytest.mark.parametrize("stop", [subprocess.Popen.terminate, interrupt_terminal])
def test_a_stop_lets_the_operation_end_and_turns_others_away(
    open_asked: OpenAsked,
    stop: Callable[[subprocess.Popen[str]], None],
    mode: tuple[str, ...],
) -> None:
    gated, asked = open_asked(*mode)
    family = psutil.Process(gated.host.process.pid).children(recursive=True)

    stop(gated.host.process)
    wait_until(lambda: gated.host.client.status().status == "stopping")
    refused = ask_anew(gated.host.url)
    gated.checkout.open_gate()

    assert is_right(asked.result())
    assert (refused.status_code, refused.json()["error"]["code"]) == (503, "not_ready")
    assert int(refused.headers["retry-after"]) > 0
    assert gated.host.end() == 0
    assert gated.ends() == ["succeeded"]
    assert gated.checkout.begun() == gated.checkout.ended()
    assert all(is_gone(process.pid) for process in family)


def test_facefusions_messages_are_logged_at_once_and_sent_to_the_caller(
    open_asked: OpenAsked,
) -> None:
    gated, asked = open_asked()

    wait_until(lambda: PROGRESS in gated.host.log())
    assert not asked.done()

    gated.checkout.open_gate()
    lines = asked.result().answer.engine_log
    assert lines[:2] == (PROGRESS, LATER_PROGRESS)
    assert any("processing to image succeeded" in line for line in lines)
