"""What goes wrong on demand: each operation takes one line off the file HOME/misbehave.

Lines: `crash`, `kill`, `hang`, `out of memory`, `leak MEGABYTES`, `slow SECONDS`,
`progress` (a line in tqdm's style, which picture runs of FaceFusion 3.8.1 never print) and `fine`.
"""

import fcntl
import os
import signal
import sys
from collections.abc import Callable
from time import sleep

from facefusion.places import HOME

FILE = HOME / "misbehave"
LEAKED: list[bytes] = []
REQUESTED = "Failed to allocate memory for requested buffer of size 1073741824"
FAILED = f"Non-zero status code returned while running Conv node. Status Message: {REQUESTED}"


class RuntimeException(Exception):
    """What onnxruntime raises when a network fails to run; it is called so there."""


def take() -> str | None:
    """Take the first line off the file, under a lock; None when there is no line."""
    if not FILE.exists():
        return None
    with FILE.open("r+") as file:
        fcntl.flock(file, fcntl.LOCK_EX)
        first, *rest = [*file.read().splitlines(), ""]
        left = [line for line in rest if line]
        file.seek(0)
        file.truncate()
        file.write("".join(f"{line}\n" for line in left))
        if not left:
            FILE.unlink(missing_ok=True)
    return first or None


def act(line: str | None) -> None:
    """Do what a line says.

    Raises:
        RuntimeException: For `out of memory`.
        ValueError: When the line is none of those above.
    """
    if line is None:
        return
    name, _, amount = line.rpartition(" ") if line[-1].isdigit() else (line, "", "0")
    if name not in ACTIONS:
        raise ValueError(f"{FILE} says {line!r}: write one of {', '.join(ACTIONS)}")
    ACTIONS[name](float(amount))


def crash(_amount: float) -> None:
    """End at once, without clean-up, with 1."""
    os._exit(1)  # no handler and no buffer may notice


def kill(_amount: float) -> None:
    """End by SIGKILL, as the kernel does when memory runs out."""
    os.kill(os.getpid(), signal.SIGKILL)


def hang(_amount: float) -> None:
    """Sleep until killed."""
    while True:
        sleep(60)


def run_out_of_memory(_amount: float) -> None:
    """Fail as a network does for which the GPU has no memory left."""
    message = f"[E:onnxruntime:, sequential_executor.cc:572 ExecuteKernel] {FAILED}\n"
    sys.stderr.write(message)
    raise RuntimeException(f"[ONNXRuntimeError] : 6 : RUNTIME_EXCEPTION : {FAILED}")


def leak(megabytes: float) -> None:
    """Allocate memory, touch it and keep it."""
    LEAKED.append(b"\x01" * int(megabytes * 1024 * 1024))


def print_progress(_amount: float) -> None:
    """Print a progress line."""
    sys.stderr.write("\rprocessing: 100%|==========| 1/1 [00:00<00:00,  9.87frame/s]\n")


ACTIONS: dict[str, Callable[[float], None]] = {
    "crash": crash,
    "kill": kill,
    "hang": hang,
    "out of memory": run_out_of_memory,
    "leak": leak,
    "slow": sleep,
    "progress": print_progress,
    "fine": lambda _amount: None,
}
