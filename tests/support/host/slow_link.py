"""A link to a host that becomes slow in one direction once some bytes have passed."""

import socket
import threading
from contextlib import suppress
from typing import Self

PIECE = 32 * 1024
BUFFER = 64 * 1024
SLOW_SECONDS = 0.1
"""Between pieces: 320 kB a second."""


class SlowLink:
    """Use as a context; a proxy of TCP on a port of its own.

    Args:
        port: Of the host.
        upwards: Whether what goes to the host is slow; else what comes from it.
        free_bytes: So many pass at once, on each connection.

    Attributes:
        is_slow: May be switched off.
        reached: Set once more than `free_bytes` have passed in the slow direction.
    """

    def __init__(self, port: int, *, upwards: bool, free_bytes: int) -> None:
        self.is_slow = True
        self.reached = threading.Event()
        self._upwards = upwards
        self._free_bytes = free_bytes
        self._target = ("127.0.0.1", port)
        self._closing = threading.Event()
        self._threads: list[threading.Thread] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        # Small: what lies in a buffer counts as sent for the one who sends.
        self._listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
        self._listener.settimeout(SLOW_SECONDS)
        self.url = f"http://127.0.0.1:{self._listener.getsockname()[1]}"

    def __enter__(self) -> Self:
        self._begin(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._closing.set()
        for thread in self._threads:
            thread.join()
        self._listener.close()

    def _begin(self, work: object, *given: object) -> None:
        thread = threading.Thread(target=work, args=given)  # type: ignore[arg-type]
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._closing.is_set():
            with suppress(TimeoutError):
                near, _ = self._listener.accept()
                far = socket.socket()
                far.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, BUFFER)
                far.connect(self._target)
                for end in (near, far):
                    end.settimeout(SLOW_SECONDS)
                self._begin(self._pass_on, near, far, self._upwards)
                self._begin(self._pass_on, far, near, not self._upwards)

    def _pass_on(self, source: socket.socket, sink: socket.socket, slow: bool) -> None:
        passed = 0
        with suppress(OSError):
            while not self._closing.is_set():
                try:
                    piece = source.recv(PIECE)
                except TimeoutError:
                    continue
                if not piece:
                    break
                passed += len(piece)
                if slow and self.is_slow and passed > self._free_bytes:
                    self.reached.set()
                    self._closing.wait(SLOW_SECONDS)
                self._send(sink, piece)
        for end in (source, sink):
            with suppress(OSError):
                end.shutdown(socket.SHUT_RDWR)
            end.close()

    def _send(self, sink: socket.socket, piece: bytes) -> None:
        while piece and not self._closing.is_set():
            with suppress(TimeoutError):
                piece = piece[sink.send(piece) :]
