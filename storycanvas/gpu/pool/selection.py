"""Which hosts of a farm a step may go to, and by whose fault an operation failed; no I/O."""

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
    OperationTimedOut,
    OperationUnsupported,
    TokenRefused,
    UnknownHostError,
)
"""What another host may do better. Everything else lies in the picture or the parameters."""

_DONE_BY = {FaceSwapperModel.INSWAPPER_256.value: FaceSwapperModel.INSWAPPER_128.value}
"""Names of the owner's that FaceFusion does with another of its models."""


@dataclass(frozen=True)
class Seen:
    """What is known of a host.

    Attributes:
        name: Its address.
        status: What it said last; None if it has never answered.
        fine: Whether it answered `ok` when it was asked last, and has not failed since.
    """

    name: str
    status: HostStatus | None = None
    fine: bool = False


def is_hosts_fault(error: BaseException) -> bool:
    """Tell whether an operation that failed so may succeed on another host."""
    return isinstance(error, HOST_FAULTS)


def engine_of(status: HostStatus) -> Engine:
    """Name what results of a host are recorded under."""
    return status.engine, status.engine_version


def engine_of_most(hosts: Sequence[Seen]) -> Engine | None:
    """Choose the engine of a run: that of most hosts that are fine, of the first among equals.

    Returns:
        None when no host is fine.
    """
    counts = Counter(engine_of(host.status) for host in hosts if host.fine and host.status)
    return max(counts, key=lambda engine: counts[engine]) if counts else None


def wanted_model(operation: FaceOperation) -> str | None:
    """Name the model that an operation asks for; None when it takes what there is."""
    match operation:
        case EnhanceOperation():
            return operation.enhancement_model.value
        case SwapOperation():
            return operation.face_swapper_model.value
    return None


def has_what_it_takes(status: HostStatus, operation: FaceOperation) -> bool:
    """Tell whether a host can do an operation; what it does not say counts as yes."""
    if status.able is not None and operation.path not in status.able:
        return False
    model = wanted_model(operation)
    if model is None or status.models is None:
        return True
    return model in status.models or _DONE_BY.get(model) in status.models


def able_hosts(hosts: Sequence[Seen], operation: FaceOperation, engine: Engine) -> list[Seen]:
    """Choose the hosts that can do an operation, now or when they are back.

    If none of them has what it takes, all of that engine are named: one that may load its models
    does so, any other says in its own words what it lacks.

    Args:
        hosts: The farm. Its only host is always chosen, for there is nothing to choose.
        operation: What to do.
        engine: The run's engine; a host that runs another is never chosen.

    Returns:
        The hosts, in the farm's order; empty when all of them run another engine.
    """
    if len(hosts) == 1:
        return list(hosts)
    same = [host for host in hosts if host.status is None or engine_of(host.status) == engine]
    able = [h for h in same if h.status is None or has_what_it_takes(h.status, operation)]
    return able or same


def other_engines(hosts: Sequence[Seen], engine: Engine) -> list[str]:
    """Say of each host that runs another engine why the run leaves it out."""
    chosen = " ".join(engine)
    return [
        f"{host.name} took no part: it runs {' '.join(engine_of(host.status))}, this run {chosen}."
        for host in hosts
        if host.status and engine_of(host.status) != engine
    ]
