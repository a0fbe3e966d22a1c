"""A stand-in checkout whose operations can be held at a gate, and what was seen of it."""

from pathlib import Path

import psutil

from tests.support.facefusion.stand_in.checkout import operations, write_stand_in
from tests.support.host.started_host import wait_until

PROGRESS = "processing:  10%|=         | 1/10"
LATER_PROGRESS = "processing:  20%|==        | 2/10"

_MORE_MISBEHAVIOUR = f'''

def wait_at_gate(_amount: float) -> None:
    """Show two steps of a progress bar, then wait until the file HOME/open is there."""
    sys.stderr.write("\\r{PROGRESS}\\r{LATER_PROGRESS}")
    sys.stderr.flush()
    for _ in range(10_000):  # bounded: a test that fails may leave this process behind
        if (HOME / "open").exists():
            break
        sleep(0.01)
    sys.stderr.write("\\n")


def print_answers(_amount: float) -> None:
    """Write to standard output what could be taken for answers to a request."""
    print('{{"exit": 0}}')
    os.write(1, b'{{"exit": 1, "rejected": true}}\\n')


ACTIONS["gate"] = wait_at_gate
ACTIONS["print"] = print_answers
'''


class GatedCheckout:
    """A stand-in that also knows the misbehaviours `gate` and `print`."""

    def __init__(self, home: Path) -> None:
        self.home = home
        write_stand_in(home)
        with (home / "facefusion" / "misbehaviour.py").open("a") as file:
            file.write(_MORE_MISBEHAVIOUR)

    def open_gate(self) -> None:
        (self.home / "open").touch()

    def begun(self) -> list[int]:
        """The processes of all operations that began, in order."""
        return [line["pid"] for line in operations(self.home) if line["event"] == "begin"]

    def ended(self) -> list[int]:
        """The processes of all operations that ended by themselves, in order."""
        return [line["pid"] for line in operations(self.home) if line["event"] == "end"]

    def next_to_begin(self, before: int = 0) -> int:
        """Wait until more operations began than before; return the newest's process."""
        wait_until(lambda: len(self.begun()) > before)
        return self.begun()[-1]


def is_gone(pid: int) -> bool:
    """Return whether a process has ended; a zombie has, too."""
    try:
        return psutil.Process(pid).status() == psutil.STATUS_ZOMBIE
    except psutil.NoSuchProcess:
        return True
