"""Processes of one machine hand the slot of a GPU host over to each other.

A slot given back to Prefect's server lies idle until the next process asks; handed over with its
lease it is used within a millisecond. Each waiting process has a claim and a socket in a folder of
its user; the holder sends the lease to the process whose turn it is. Sending is giving: the sender
does not use the lease again, so no two processes ever hold it. A lease sent to a process that dies
is not renewed and runs out.

Where such a folder or socket cannot be made, every process asks the server.
"""

import contextlib
import fcntl
import hashlib
import json
import logging
import os
import socket
import stat
import tempfile
import time
from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import IO
from uuid import UUID, uuid4

from storycanvas.gpu.guard.fairness import Claim
from storycanvas.net.atomic_files import part_file, write_atomically

log = logging.getLogger(__name__)

_MAX_MESSAGE_LENGTH = 1024
_NAMES = iter(range(1, 1 << 62))


@dataclass(frozen=True)
class Grant:
    """A lease that a peer handed over.

    Attributes:
        lease_id: Prefect's name for it.
        asked_at: When it was taken or renewed last, by the machine's monotonic clock in seconds.
    """

    lease_id: UUID
    asked_at: float


class Peers:
    """One lane's place among those of its machine; used by one thread.

    This class is the place of a lane without peers: every process asks the server.

    Attributes:
        peer_group_id: The same for all who hand slots over to each other.
    """

    def __init__(self) -> None:
        self.peer_group_id = uuid4().hex

    def claim(self, claim: Claim | None) -> None:
        """Publish what this process waits with; None when it does not wait."""

    def claims(self) -> dict[str, Claim]:
        """Read what the others wait with, by their names."""
        return {}

    def asks(self) -> bool:
        """Check whether this process alone of its machine asks the server."""
        return True

    def hold(self, *, held: bool) -> None:
        """Publish whether this process holds the slot; a dead process holds none."""

    def holders(self) -> int:
        """Count the slots that living processes hold."""
        return 0

    def wait(self, seconds: float) -> Grant | None:
        """Wait for a peer to hand the slot over; 0 seconds only looks."""
        time.sleep(seconds)
        return None

    def hand_over(self, grant: Grant) -> bool:
        """Give the slot to the peer whose turn it is.

        Returns:
            Whether a peer took it; then it is no longer this process's.
        """
        del grant
        return False

    def close(self) -> Iterable[Grant]:
        """Leave; the caller gives back what was handed over to this process meanwhile."""
        return ()


def join_peers(limit_name: str, server: str) -> Peers:
    """Join the processes of this machine that want a host.

    Args:
        limit_name: The host's limit.
        server: Address of Prefect's server; limits of two servers are different ones.
    """
    try:
        return _LocalPeers(limit_name, server)
    except OSError as error:
        log.warning("Slots are not handed over between the processes of this machine (%s).", error)
        return Peers()


class _LocalPeers(Peers):
    """A socket and a claim in a folder of this user; arguments as of `join_peers`."""

    def __init__(self, limit_name: str, server: str) -> None:
        super().__init__()
        key = hashlib.sha256(f"{server}\n{limit_name}".encode()).hexdigest()[:16]
        self._folder = _own_folder() / key
        self._folder.mkdir(exist_ok=True, mode=0o700)
        self._name = f"{os.getpid()}-{next(_NAMES)}"
        self._socket = socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM)
        try:
            self._socket.bind(str(self._path(self._name, "sock")))
        except OSError:  # a path of more than some 100 characters, above all
            self._socket.close()
            raise
        self._ask_lock: IO[str] | None = None
        self._hold_lock: IO[str] | None = None
        self.peer_group_id = _written_once(self._folder / "circle", uuid4().hex)

    def claim(self, claim: Claim | None) -> None:
        """Publish what this process waits with; None when it does not wait."""
        path = self._path(self._name, "json")
        if claim is None:
            path.unlink(missing_ok=True)
            self._ask_no_more()
            return
        write_atomically(path, json.dumps(asdict(claim)).encode(), durable=False)

    def claims(self) -> dict[str, Claim]:
        """Read what the others wait with, by their names."""
        found = {}
        for path in self._folder.glob("*.json"):
            if path.stem != self._name:
                with contextlib.suppress(OSError, ValueError, TypeError):
                    found[path.stem] = Claim(**json.loads(path.read_text()))
        return found

    def asks(self) -> bool:
        """Check whether this process alone of its machine asks the server."""
        if self._ask_lock is None:
            self._ask_lock = _locked(self._folder / "asking.lock")
        return self._ask_lock is not None

    def hold(self, *, held: bool) -> None:
        """Publish whether this process holds the slot; a dead process holds none."""
        if held and self._hold_lock is None:
            self._hold_lock = _locked(self._path(self._name, "held"))
        elif not held and self._hold_lock is not None:
            self._path(self._name, "held").unlink(missing_ok=True)
            self._hold_lock.close()
            self._hold_lock = None

    def holders(self) -> int:
        """Count the slots that living processes hold."""
        living = 0
        for path in self._folder.glob("*.held"):
            file = _locked(path) if path.stem != self._name else None
            if file is None:
                living += 1
            else:  # it was killed
                path.unlink(missing_ok=True)
                file.close()
        return living

    def wait(self, seconds: float) -> Grant | None:
        """Wait for a peer to hand the slot over; 0 seconds only looks."""
        self._socket.settimeout(seconds)
        try:
            message = json.loads(self._socket.recv(_MAX_MESSAGE_LENGTH))
            return Grant(UUID(message["lease_id"]), float(message["asked_at"]))
        except (TimeoutError, BlockingIOError):
            return None

    def hand_over(self, grant: Grant) -> bool:
        """Give the slot to the peer whose turn it is, unless all of them are dead."""
        message = json.dumps({"lease_id": str(grant.lease_id), "asked_at": grant.asked_at})
        for name, _ in sorted(self.claims().items(), key=lambda item: item[1].rank):
            try:
                self._socket.sendto(message.encode(), str(self._path(name, "sock")))
            except OSError:  # it was killed while it waited
                self._remove(name)
            else:
                self._path(name, "json").unlink(missing_ok=True)
                return True
        return False

    def close(self) -> Iterator[Grant]:
        """Leave; the caller gives back what was handed over to this process meanwhile."""
        if self._socket.fileno() < 0:
            return
        self.claim(None)
        self.hold(held=False)
        self._path(self._name, "sock").unlink(missing_ok=True)
        while (grant := self.wait(0)) is not None:
            yield grant
        self._socket.close()

    def _ask_no_more(self) -> None:
        file, self._ask_lock = self._ask_lock, None
        if file is not None:
            file.close()

    def _remove(self, name: str) -> None:
        for kind in ("json", "sock"):
            self._path(name, kind).unlink(missing_ok=True)

    def _path(self, name: str, kind: str) -> Path:
        return self._folder / f"{name}.{kind}"


def _locked(path: Path) -> IO[str] | None:
    """Open and lock a file; the lock ends with this process. None if another process has it.

    It is the kernel's own lock: peers probe the locks of others, and remove the file of a process
    that was killed, so what shows the holder is the lock on exactly this open file.
    """
    file = path.open("w")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except BlockingIOError:
        file.close()
        return None
    return file


def _written_once(path: Path, text: str) -> str:
    """Write a file, unless another process has; return what it holds."""
    with part_file(path.parent) as part:
        part.write(text.encode())
        part.flush()
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(part.name)
    return path.read_text()


def _own_folder() -> Path:
    """Make a folder that no other user can write to."""
    folder = Path(tempfile.gettempdir()) / f"storycanvas-gpu-{os.getuid()}"
    folder.mkdir(exist_ok=True, mode=0o700)
    status = folder.lstat()
    if not stat.S_ISDIR(status.st_mode) or status.st_uid != os.getuid() or status.st_mode & 0o077:
        raise PermissionError(f"{folder} is open to other users or not this user's; remove it")
    return folder
