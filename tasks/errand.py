"""What a step wants of whichever host does it."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass

from faces.client import FaceHostClient
from faces.operations import FaceOperation
from tasks.host_choice import Engine

Bring = Callable[[FaceHostClient], Sequence[str]]
"""Uploads an operation's inputs to a host, unless they are there, and names them as it does."""


@dataclass(frozen=True)
class Errand:
    """An operation that is to be done by one of several hosts.

    Attributes:
        operation: What to do.
        engine: The run's engine; hosts that run another are left out.
        bring: Uploads the inputs to a host.
        run: Name of the run, to be shown to others who wait.
        run_id: Id of the flow run.
        wait_seconds: Longest wait for a slot, in each try.
        priority: Larger goes first.
    """

    operation: FaceOperation
    engine: Engine
    bring: Bring
    run: str
    run_id: str
    wait_seconds: float
    priority: int = 0
