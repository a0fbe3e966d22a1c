"""Bounds on connections: time for a request head, bytes of a refused body, and their number.

uvicorn has a time-out for neither (0.54), hypercorn and granian have no bound on their number, and
granian waits without end for a connection's first byte; so this is a subclass of uvicorn's own
protocol, which its `Config` takes as `http`.
"""

import asyncio
import logging
import math
import sys
from collections import Counter
from functools import partial
from typing import Any, cast

import h11
from uvicorn.protocols.http.h11_impl import H11Protocol

from storycanvas.faces.pictures.reading import MAX_BYTES
from storycanvas.host.api.middleware import ADMITTED, MAX_UPLOAD_BYTES
from storycanvas.host.settings import MAX_FILES

_log = logging.getLogger(__name__)

_SHARE_OF_FILES = 0.75
"""The rest is for pictures, results, FaceFusion and downloads."""
DISCARD_SECONDS = 5.0
DISCARDED_BYTES = 256 * 1024
"""Of the body of a caller without a token that is known, unless the length of a usual picture is
declared. There are callers that send all before they read, so more is discarded of any other."""
ADMITTED_BYTES = MAX_BYTES + 2 * 1024 * 1024
"""Of a request whose caller has shown a token that is known, with what was read of it before,
unless the length of any picture is declared."""
STALLED_SECONDS = 60.0
"""A caller that does not read its answer for so long is gone."""


def raise_file_limit() -> int:
    """Allow this process as many open files as the system lets it; return that number."""
    try:
        import resource  # noqa: PLC0415 - not on Windows, which has no such limit for sockets
    except ImportError:
        return MAX_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    unlimited = resource.RLIM_INFINITY
    wanted = MAX_FILES if hard == unlimited else min(hard, MAX_FILES)
    if soft != unlimited and soft < wanted:
        resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
        return wanted
    return MAX_FILES if soft == unlimited else soft


def connections_within(files: int, wanted: int) -> int:
    """Return how many connections may be open where so many files may be."""
    return max(1, min(wanted, math.floor(files * _SHARE_OF_FILES)))


HANDSHAKE_SECONDS = 10.0

if sys.platform == "win32":
    _Loop = asyncio.ProactorEventLoop
else:
    _Loop = asyncio.SelectorEventLoop


class HostLoop(_Loop):
    """uvicorn's event loop, in which a TLS handshake has as little time as a request's head."""

    async def create_server(self, *arguments: Any, **options: Any) -> asyncio.Server:
        """Create a server; uvicorn leaves asyncio's 60 s for a handshake."""
        if options.get("ssl") is not None:
            options.setdefault("ssl_handshake_timeout", HANDSHAKE_SECONDS)
        return await super().create_server(*arguments, **options)


class Connections:
    """All connections of a server, and which of them have no request under way.

    Attributes:
        most: How many may be open.
        head_seconds: From the connection, or from the first byte of a later request, to the end of
            its head.
        closed: How many the host closed, by reason.
    """

    def __init__(self, most: int, head_seconds: float) -> None:
        self.most = most
        self.head_seconds = head_seconds
        self.closed: Counter[str] = Counter()
        self._open: set[HostConnection] = set()
        self._idle: dict[HostConnection, None] = {}

    def __len__(self) -> int:
        return len(self._open)

    def protocol(self) -> type[asyncio.Protocol]:
        """Return what uvicorn makes a connection with."""
        return cast("type[asyncio.Protocol]", partial(HostConnection, connections=self))

    def add(self, connection: "HostConnection") -> None:
        """Count a connection; close the one that is idle longest if there are too many.

        The new one is closed where all others have a request under way.
        """
        self._open.add(connection)
        self._idle[connection] = None
        if len(self._open) > self.most:
            oldest = next(iter(self._idle))
            _log.warning(
                "more than %d connections: the one that is idle longest is closed", self.most
            )
            oldest.drop("too_many")

    def remove(self, connection: "HostConnection") -> None:
        """Forget a connection."""
        self._open.discard(connection)
        self._idle.pop(connection, None)

    def set_idle(self, connection: "HostConnection", idle: bool) -> None:
        """Note whether a connection has no whole request head that is unanswered."""
        if not idle:
            self._idle.pop(connection, None)
        elif connection in self._open:
            self._idle.setdefault(connection)


class HostConnection(H11Protocol):
    """A connection that is closed when its request head or the reading of an answer stalls."""

    def __init__(self, *arguments: Any, connections: Connections, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._all = connections
        self._timer: asyncio.TimerHandle | None = None
        self._stalled: asyncio.TimerHandle | None = None
        self._discards: int | None = None
        self._reads_out = False
        self._received = 0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        """Start the time of the first head."""
        super().connection_made(transport)
        self._start_timer(self._all.head_seconds, "slow_head")
        self._all.add(self)

    def connection_lost(self, exc: Exception | None) -> None:
        """End all timers."""
        self._all.remove(self)
        self._stop_timer()
        self.resume_writing()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        """Read on, unless the request was refused before its body ended."""
        if self._discards is not None:
            self._discards -= len(data)
            if self._discards < 0:
                self.drop("refused_body")
            return
        self._received += len(data)
        super().data_received(data)
        if self._reads_out and self.conn.their_state is not h11.SEND_BODY:
            self._reads_out = False
            self._next_request()
        elif self._has_request:
            self._all.set_idle(self, idle=False)
            self._stop_timer()
        elif self._timer is None and not self.transport.is_closing():
            self._start_timer(self._all.head_seconds, "slow_head")

    def on_response_complete(self) -> None:
        """Wait for the next request, or get rid of the rest of this one's body."""
        if not self.cycle.more_body or self.transport.is_closing():
            self._next_request()
            return
        # Closing at once would send a reset, which can cost the caller the answer.
        self._start_timer(DISCARD_SECONDS, "refused_body")
        self._reads_out = self._is_short()
        if not self._reads_out:
            self._discards = self._discardable()
            if self.transport.can_write_eof():
                self.transport.write_eof()
        self.flow.resume_reading()

    def _next_request(self) -> None:
        self._received = 0
        self._stop_timer()
        super().on_response_complete()
        self._all.set_idle(self, idle=not self._has_request)

    def pause_writing(self) -> None:
        """Start the time in which the caller has to read some of its answer."""
        super().pause_writing()
        if self._stalled is None:
            self._stalled = self.loop.call_later(STALLED_SECONDS, self.drop, "stalled_answer")

    def resume_writing(self) -> None:
        """End that time."""
        if self._stalled is not None:
            self._stalled.cancel()
            self._stalled = None
        super().resume_writing()

    def drop(self, reason: str) -> None:
        """Close the connection without sending what is left."""
        if not self.transport.is_closing():
            self._all.closed[reason] += 1
        self._all.remove(self)
        self.transport.abort()

    @property
    def _has_request(self) -> bool:
        return not getattr(self.cycle, "response_complete", True)  # None before the first request

    def _is_short(self) -> bool:
        """Whether a refused body has a declared end which is worth waiting for."""
        declared = int(dict(self.headers).get(b"content-length", b"0"))  # h11 has checked it
        most = MAX_UPLOAD_BYTES if ADMITTED in self.scope else MAX_BYTES
        return 0 < declared <= most and not self.conn.they_are_waiting_for_100_continue

    def _discardable(self) -> int:
        known = ADMITTED in self.scope
        return max(DISCARDED_BYTES, ADMITTED_BYTES - self._received) if known else DISCARDED_BYTES

    def _start_timer(self, seconds: float, reason: str) -> None:
        self._stop_timer()
        self._timer = self.loop.call_later(seconds, self.drop, reason)

    def _stop_timer(self) -> None:
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
