"""What all of the test engines answer when they are asked about themselves."""

from storycanvas.faces.operations import OPERATIONS
from storycanvas.host.engines.engine import Readiness


class BareEngine:
    mode = "in-process"
    readiness: Readiness = "ok"

    def able(self) -> tuple[str, ...]:
        return tuple(operation.path for operation in OPERATIONS)

    def models(self) -> tuple[str, ...]:
        return ()

    def close(self) -> None:
        return
