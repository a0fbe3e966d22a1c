"""Sends what the strategies make by several clients, and notes what is wrong with the answers."""

import collections
import concurrent.futures
import dataclasses
import itertools
import threading
from collections.abc import Callable

from hypothesis import HealthCheck, Phase, given, seed, settings

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.errors import FaceError
from storycanvas.faces.operations import FaceOperation
from tests.support.raw_http import RawAnswer, RawRequest, send
from tests.system.fuzz.access import Access
from tests.system.fuzz.hostile_places import Places
from tests.system.fuzz.hostile_requests import own_calls, requests
from tests.system.fuzz.other_clients import NotSendable, by_curl, by_httpx
from tests.system.fuzz.verdicts import faults

WARM = 2_000
AT_ONCE = 4
SILENCE_SECONDS = 30.0
SERVER_ERROR = 500
Client = Callable[[tuple[str, int], RawRequest, float], RawAnswer]
CLIENTS: tuple[tuple[str, Client], ...] = (
    ("bytes", send), ("httpx", by_httpx), ("bytes", send), ("curl", by_curl), ("bytes", send),
)  # fmt: skip
"""In turns; what a client cannot send goes as bytes."""


class Attack:
    """Sends requests from several threads.

    Attributes:
        statuses: How many answers have each status.
        clients: How many requests each client sent.
        faults: What is wrong, each with a request that shows it.
        slowest: Seconds.
        memory: What `memory` gave, after so many requests.
    """

    def __init__(
        self,
        address: tuple[str, int],
        places: Places,
        access: Access,
        memory: Callable[[], float] = lambda: 0.0,
    ) -> None:
        self.statuses: collections.Counter[int] = collections.Counter()
        self.clients: collections.Counter[str] = collections.Counter()
        self.faults: dict[str, RawRequest] = {}
        self.slowest = 0.0
        self.memory: dict[int, float] = {}
        self._address = address
        self._places = places
        self._access = access
        self._measure = memory
        self._turns = itertools.cycle(CLIENTS)
        self._sent = 0
        self._senders = concurrent.futures.ThreadPoolExecutor(AT_ONCE)
        self._room = threading.Semaphore(2 * AT_ONCE)

    def run(self, number: int, seed_number: int, longest: float) -> None:
        """Send so many requests; a seed gives the same ones each time.

        Args:
            number: How many.
            seed_number: Any.
            longest: Seconds that an answer may take.
        """

        @seed(seed_number)
        @settings(max_examples=number, database=None, deadline=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(requests(self._places, f"127.0.0.1:{self._address[1]}", self._access))
        def attack(request: RawRequest) -> None:
            self._room.acquire()
            self._sent += 1
            if self._sent == min(WARM, number // 2):
                self.memory[self._sent] = self._measure()
            sending = self._senders.submit(self._send, request, *next(self._turns), longest)
            sending.add_done_callback(self._done)

        attack()
        self._senders.shutdown()
        self.memory[self._sent] = self._measure()

    def call(self, client: FaceHostClient, number: int, seed_number: int) -> None:
        """Have so many operations done by our own client, which repeats nothing."""

        @seed(seed_number)
        @settings(max_examples=number, database=None, deadline=None, phases=[Phase.generate],
                  suppress_health_check=list(HealthCheck))  # fmt: skip
        @given(own_calls(self._places))
        def called(call: tuple[FaceOperation, tuple[str, ...], str]) -> None:
            self.clients["own"] += 1
            if fault := self._own_fault(client, *call):
                request = RawRequest(b"POST", call[0].path.encode(), body=repr(call).encode())
                self.faults.setdefault(f"{fault} (own)", request)

        called()

    def _own_fault(
        self, client: FaceHostClient, operation: FaceOperation, pictures: tuple[str, ...], key: str
    ) -> str:
        """Name what is wrong with how an operation ended; empty if nothing is."""
        try:
            answer = client.operate(operation, pictures, key)
            if answer.output_path:
                client.download(answer.output_path)
        except FaceError as error:
            unforeseen = error.status >= SERVER_ERROR and not error.retryable
            told = self._access.told(str(error).encode())
            return f"unforeseen: {error}" if unforeseen else ", ".join(told)
        except Exception as error:  # noqa: BLE001 - is what is looked for
            return f"{type(error).__name__}: {error}"
        return "" if set(pictures) <= set(self._places.good) else "worked on a picture elsewhere"

    def _send(self, request: RawRequest, name: str, client: Client, longest: float) -> None:
        try:
            answer = client(self._address, request, SILENCE_SECONDS)
        except NotSendable:
            name, answer = "bytes", send(self._address, request, SILENCE_SECONDS)
        self.clients[name] += 1
        self.statuses[answer.status] += 1
        self.slowest = max(self.slowest, answer.seconds)
        if name == "curl" and b"Host" not in dict(request.headers):  # it adds one by itself
            request = dataclasses.replace(request, headers=((b"Host", b""), *request.headers))
        found = faults(request, answer, self._places, longest)
        for fault in (*found, *self._access.faults(request, answer)):
            self.faults.setdefault(f"{fault} ({name})", request)

    def _done(self, sent: concurrent.futures.Future[None]) -> None:
        self._room.release()
        if error := sent.exception():
            self.faults.setdefault(f"{type(error).__name__}: {error}", RawRequest(b"", b""))
