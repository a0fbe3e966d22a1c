"""Which hosts of a pool may do a step, and which failures are a host's fault; no I/O."""

from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass

from storycanvas.faces.contract import HostStatus
from storycanvas.faces.errors import (
    AnswerDamaged,
    ContractBroken,
    EngineChanged,
    EngineFailed,
    FaceError,
    HostFull,
    HostNotReady,
    HostUnreachable,
    OperationNotFound,
    OperationTimedOut,
    OperationUnsupported,
    TokenRefused,
    UnknownHostError,
)
from storycanvas.faces.operations import (
    EnhanceOperation,
    FaceOperation,
    FaceSwapperModel,
    SwapOperation,
)

Engine = tuple[str, str]
"""Name and version; both are part of every operation key."""

HOST_FAULTS: tuple[type[FaceError], ...] = (
    AnswerDamaged,
    ContractBroken,
    EngineChanged,
    EngineFailed,
    HostFull,
    HostNotReady,
    HostUnreachable,
    OperationNotFound,
    OperationTimedOut,
    OperationUnsupported,
    TokenRefused,
    UnknownHostError,
)
"""Failures that another host may not have; all others come from picture or parameters."""

_DONE_BY = {FaceSwapperModel.INSWAPPER_256.value: FaceSwapperModel.INSWAPPER_128.value}
"""Model names of StoryCanvas that FaceFusion serves with another of its models."""


@dataclass(frozen=True)
class HostSnapshot:
    """What is known of a host.

    Attributes:
        name: Its address.
        status: Its newest status; None if it has never answered.
        healthy: Whether its newest check answered `ok` and it has not failed since.
    """

    name: str
    status: HostStatus | None = None
    healthy: bool = False


def is_hosts_fault(error: BaseException) -> bool:
    """Check whether an operation that failed so may succeed on another host."""
    return isinstance(error, HOST_FAULTS)


def engine_of(status: HostStatus) -> Engine:
    """Name what results of a host are recorded under."""
    return status.engine, status.engine_version


def engine_of_most(hosts: Sequence[HostSnapshot]) -> Engine | None:
    """Choose the engine of most healthy hosts, the first among equals; None if none is healthy."""
    counts = Counter(engine_of(host.status) for host in hosts if host.healthy and host.status)
    return max(counts, key=lambda engine: counts[engine]) if counts else None


def wanted_model(operation: FaceOperation) -> str | None:
    """Name the model that an operation asks for; None if it asks for no particular one."""
    match operation:
        case EnhanceOperation():
            return operation.enhancement_model.value
        case SwapOperation():
            return operation.face_swapper_model.value
    return None


def has_what_it_takes(status: HostStatus, operation: FaceOperation) -> bool:
    """Check whether a host can do an operation; what its status leaves out counts as yes."""
    if status.able is not None and operation.path not in status.able:
        return False
    model = wanted_model(operation)
    if model is None or status.models is None:
        return True
    return model in status.models or _DONE_BY.get(model) in status.models


def able_hosts(
    hosts: Sequence[HostSnapshot], operation: FaceOperation, engine: Engine
) -> list[HostSnapshot]:
    """Choose the hosts that can do an operation, now or when they are back.

    If none of them has what it takes, all of that engine are chosen: a host that can load its
    models does so, any other refuses in its own words.

    Args:
        hosts: The pool. An only host is always chosen.
        operation: What to do.
        engine: The run's engine; a host that runs another is never chosen.

    Returns:
        The hosts, in the pool's order; empty when all of them run another engine.
    """
    if len(hosts) == 1:
        return list(hosts)
    same = [host for host in hosts if host.status is None or engine_of(host.status) == engine]
    able = [h for h in same if h.status is None or has_what_it_takes(h.status, operation)]
    return able or same


def other_engines(hosts: Sequence[HostSnapshot], engine: Engine) -> list[str]:
    """Explain for each host that runs another engine why the run leaves it out."""
    chosen = " ".join(engine)
    return [
        f"{host.name} took no part: it runs {' '.join(engine_of(host.status))}, this run {chosen}."
        for host in hosts
        if host.status and engine_of(host.status) != engine
    ]
