"""Whose fault a failure is decides what becomes of a job."""

import httpx
import pytest

from db.errors import DatabaseUnreachable, UnknownCharacter, UnknownPreset
from storycanvas.faces.errors import (
    BadField,
    ChildAgeRefused,
    ContentRejected,
    EngineChanged,
    EngineFailed,
    FaceError,
    HostFull,
    HostNotReady,
    HostUnreachable,
    NoFace,
    NotAPicture,
    OperationTimedOut,
    OutOfRange,
    PictureNotAllowed,
    PictureTooLarge,
    PictureUnreachable,
    PlanInvalid,
    StoreUnavailable,
)
from storycanvas.gpu.guard.dispatcher import SlotLost, SlotWaitTimedOut
from storycanvas.gpu.guard.limit import GuardClosed
from tasks.queues.ends import decide
from tasks.queues.faults import Fault, code_of, fault_of, gravest
from tasks.queues.work import WorkResult
from tasks.retries import RunStopped

FAULTS = {
    Fault.OF_THE_WORK: (
        *(BadField, ChildAgeRefused, ContentRejected, NoFace, NotAPicture, OutOfRange),
        *(PictureNotAllowed, PictureTooLarge, PlanInvalid, UnknownCharacter, UnknownPreset),
    ),
    Fault.PASSING: (EngineFailed, OperationTimedOut, PictureUnreachable, ZeroDivisionError),
    Fault.OF_THE_PLACE: (
        *(DatabaseUnreachable, EngineChanged, GuardClosed, HostFull, HostNotReady),
        *(HostUnreachable, RunStopped, SlotLost, SlotWaitTimedOut, StoreUnavailable),
        httpx.ConnectError,
    ),
}


@pytest.mark.parametrize(
    ("error", "fault"), [(error, fault) for fault, errors in FAULTS.items() for error in errors]
)
def test_each_failure_is_judged(error: type[Exception], fault: Fault) -> None:
    assert fault_of(error("why")) is fault


def test_every_error_of_faces_that_may_pass_by_itself_costs_at_most_an_attempt() -> None:
    passing = [error for error in FaceError.__subclasses__() if error.retryable]

    assert [e for e in passing if fault_of(e("why")) is Fault.OF_THE_WORK] == []


NO_FACE, BROKE, AWAY = NoFace("no face"), EngineFailed("broke"), HostUnreachable("away")
ENDS = [
    (WorkResult(done=True), False, False, "completed"),
    (WorkResult(done=True), True, False, "completed"),
    (WorkResult(errors=(NO_FACE,)), False, False, "failed"),
    (WorkResult(errors=(NO_FACE,), enough=True), False, False, "completed"),
    (WorkResult(errors=(BROKE,)), False, False, "put back"),
    (WorkResult(errors=(BROKE,)), False, True, "failed"),
    (WorkResult(errors=(BROKE,), enough=True), False, False, "put back"),
    (WorkResult(errors=(BROKE,), enough=True), False, True, "completed"),
    (WorkResult(errors=(NO_FACE, BROKE, AWAY)), False, True, "given back"),
    (WorkResult(errors=(AWAY,), enough=True), False, True, "given back"),
    (WorkResult(errors=(NO_FACE,)), True, True, "given back"),
    (WorkResult(), True, False, "given back"),
]


@pytest.mark.parametrize(("result", "stopped", "is_last", "became"), ENDS)
def test_the_gravest_failure_decides_the_end(
    result: WorkResult, stopped: bool, is_last: bool, became: str
) -> None:
    assert decide(result, stopped=stopped, is_last=is_last).became == became


def test_what_a_stopped_drain_gives_back_waits_for_nothing() -> None:
    stopped = decide(WorkResult(), stopped=True, is_last=False)
    away = decide(WorkResult(errors=(AWAY,)), stopped=False, is_last=False)

    assert (stopped.delay.total_seconds(), stopped.is_the_places) == (0, False)
    assert (away.delay.total_seconds(), away.is_the_places) == (30, True)


def test_a_failure_is_named_by_its_code_or_its_class() -> None:
    assert code_of(NO_FACE) == "no_face"
    assert code_of(SlotWaitTimedOut("no slot")) == "slot_wait_timed_out"
    assert gravest([]) is None
