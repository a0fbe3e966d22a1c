"""Whose fault a failure is, and so what becomes of the job that met it."""

from collections.abc import Iterable
from enum import IntEnum

import httpx
from prefect.exceptions import PrefectException

from db.errors import DatabaseError
from storycanvas.faces.errors import (
    AnswerDamaged,
    ContractBroken,
    EngineChanged,
    EngineFailed,
    HostFull,
    HostNotReady,
    HostUnreachable,
    OperationCancelled,
    OperationNotFound,
    OperationTimedOut,
    PictureChanged,
    PictureUnreachable,
    StoreUnavailable,
    TokenRefused,
    UnknownHostError,
)
from storycanvas.gpu.guard.dispatcher import SlotLost, SlotWaitTimedOut
from storycanvas.gpu.guard.limit import GuardClosed
from tasks.retries import RunStopped


class Fault(IntEnum):
    """What a failure says about the job, the graver last.

    Attributes:
        OF_THE_WORK: The picture or a value is wrong, and stays so: the operation fails.
        PASSING: It may succeed at another time: costs an attempt.
        OF_THE_PLACE: The work could not be begun or ended here: given back, no attempt is counted.
    """

    OF_THE_WORK = 0
    PASSING = 1
    OF_THE_PLACE = 2


_OF_THE_PLACE: tuple[type[BaseException], ...] = (
    EngineChanged,
    GuardClosed,
    HostFull,
    HostNotReady,
    HostUnreachable,
    OperationCancelled,
    RunStopped,
    SlotLost,
    SlotWaitTimedOut,
    StoreUnavailable,
    TokenRefused,
    PrefectException,
    httpx.HTTPError,  # of Prefect's client; a host's are FaceErrors
)
_PASSING: tuple[type[BaseException], ...] = (
    AnswerDamaged,
    ContractBroken,
    EngineFailed,
    OperationNotFound,
    OperationTimedOut,
    PictureChanged,
    PictureUnreachable,
    UnknownHostError,
)


def fault_of(error: BaseException) -> Fault:
    """Judge a failure; one that no class foresees costs an attempt."""
    if isinstance(error, _OF_THE_PLACE):
        return Fault.OF_THE_PLACE
    if isinstance(error, _PASSING):
        return Fault.PASSING
    stays = getattr(type(error), "retryable", None) is False
    if isinstance(error, DatabaseError) and not stays:
        return Fault.OF_THE_PLACE
    return Fault.OF_THE_WORK if stays else Fault.PASSING


def gravest(errors: Iterable[BaseException]) -> BaseException | None:
    """Choose the failure that decides what becomes of a job; the first among equals."""
    return max(errors, key=fault_of, default=None)


def code_of(error: BaseException) -> str:
    """Name the kind of a failure: its code, or its class in small letters."""
    code = getattr(error, "code", None)
    if isinstance(code, str):
        return code
    name = type(error).__name__
    return "".join(f"_{c.lower()}" if c.isupper() else c for c in name).lstrip("_")
