"""Rounds of work under the guard in which processes are killed, and worse.

Three processes share one slot. Every few seconds a random one is killed with SIGKILL and replaced
by one that continues its work. In some rounds the limit is switched off and on, as the UI does it,
and in the middle round Prefect's server is restarted.
"""

import random
import signal
import subprocess
import time
from dataclasses import dataclass
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import GlobalConcurrencyLimitUpdate

from blocks.limits import create_limit
from tests.support.guard.counting_host import CountingHost
from tests.support.guard.figures import repeated, use_after
from tests.support.guard.processes import OwnPrefect, begin, end, is_ready
from tests.support.guard.tally import Tally, broken, summary
from tests.support.guard.ways import WorkerTask

LIMIT = "gpu:chaos"
PROCESSES = 3
CALLS = 25
SERVICE_SECONDS = 0.2
KILL_SECONDS = (2.0, 5.0)
KILLS = 5
"""In each round, so that it comes to its end."""

OFF_SECONDS = (1.0, 3.0)
OFF_EVERY = 3
POLL_SECONDS = 0.05
ROUND_SECONDS = 300.0
"""After the last kill; each of its kills may leave the slot unused for a minute."""


class Chaos:
    """All rounds, on one limit.

    Args:
        prefect: The server.
        folder: Where processes note what is done.
        seed: Which processes are killed, and when.
    """

    def __init__(self, prefect: OwnPrefect, folder: Path, seed: int) -> None:
        self._prefect = prefect
        self._folder = folder
        self._random = random.Random(seed)  # noqa: S311 - chance, no secret
        create_limit(LIMIT, 1)

    def run(self, rounds: int, *, calls: int, kills: int) -> list[str]:
        """Run the rounds, print the figures after each, and list the claims that do not hold.

        Args:
            rounds: How many.
            calls: How many calls each of the three processes makes in a round.
            kills: How many processes are killed in a round.

        Returns:
            The claims that do not hold.
        """
        tally = Tally()
        for number in range(rounds):
            folder = self._folder / f"round{number}"
            chaos_round = ChaosRound(self._prefect, folder, calls, kills)
            chaos_round.run(
                self._random,
                switch=number % OFF_EVERY == 1,
                restart=number == rounds // 2,
            )
            chaos_round.count(tally)
            print(f"round {number + 1} of {rounds}: {summary(tally)}", flush=True)
            if tally.failed:  # the slot may never come free
                print(_state_of_limit(), self._prefect.last_errors(), sep="\n")
                break
        return broken(tally)


@dataclass(frozen=True)
class Kill:
    """A process that was killed, by the clock of the judge."""

    process: str
    moment: float


class ChaosRound:
    """One round, with a host of its own.

    Args:
        prefect: The server.
        folder: Where its processes note what is done.
        calls: How many calls each process makes.
        kills: How many processes are killed.
    """

    def __init__(self, prefect: OwnPrefect, folder: Path, calls: int, kills: int) -> None:
        folder.mkdir()
        self._prefect = prefect
        self._folder = folder
        self._calls = calls
        self._kill_count = kills
        self._host = CountingHost(SERVICE_SECONDS)
        self._running: dict[str, subprocess.Popen[str]] = {}
        self._family: dict[str, str] = {}
        self._kills: list[Kill] = []
        self._disturbances: list[tuple[float, float]] = []
        self._failed = 0

    def run(self, chance: random.Random, *, switch: bool, restart: bool) -> None:
        """Have all calls made, with kills on the way.

        Args:
            chance: Chooses when and which.
            switch: Whether the limit is switched off and on.
            restart: Whether Prefect's server is restarted.
        """
        try:
            for name in "abcdefghij"[:PROCESSES]:
                self._start(name, name)
            for process in self._running.values():
                is_ready(process)  # one that failed is counted below
            for number in range(self._kill_count):
                if not self._work_for(chance.uniform(*KILL_SECONDS)):
                    break
                self._kill(chance)
                if number == 0 and switch:
                    self._switch(chance.uniform(*OFF_SECONDS))
                if number == 1 and restart:
                    self._restart()
            self._work_for(ROUND_SECONDS)
            self._failed += len(self._running)
        finally:
            end(self._running.values())
            self._host.close()

    def count(self, tally: Tally) -> None:
        """Add the figures of this round."""
        served = self._host.served
        tally.calls += len(served)
        tally.kills += len(self._kills)
        tally.overlaps += self._host.overlaps
        tally.failed += self._failed
        again = repeated(served, self._family)
        tally.most_repeated = max([tally.most_repeated, *again.values()])
        for kill in self._kills:
            unused = use_after(served, kill.process, kill.moment)
            if unused is not None:
                kept = tally.disturbed if self._is_disturbed(*unused) else tally.unused
                kept.append(unused[1] - unused[0])

    def _start(self, name: str, family: str) -> None:
        done_file = str(self._folder / family)
        task = WorkerTask("guarded", name, self._calls, [LIMIT], [self._host.url], done_file)
        self._family[name] = family
        self._running[name] = self._prefect.start(task)
        begin(self._running[name], 0.0)  # as soon as it can

    def _work_for(self, seconds: float) -> bool:
        """Let the processes work; True if any still does."""
        deadline = time.monotonic() + seconds
        while self._running and time.monotonic() < deadline:
            time.sleep(POLL_SECONDS)
            for name in [name for name, process in self._running.items() if process.poll() == 0]:
                end([self._running.pop(name)])
            for name in [name for name, process in self._running.items() if process.poll()]:
                end([self._running.pop(name)])
                self._failed += 1
        return bool(self._running)

    def _kill(self, chance: random.Random) -> None:
        name = chance.choice(sorted(self._running))
        process = self._running.pop(name)
        moment = time.monotonic()
        end([process])
        if process.returncode == -signal.SIGKILL:
            self._kills.append(Kill(name, moment))
            self._start(f"{name}+", self._family[name])
        else:
            self._failed += bool(process.returncode)

    def _switch(self, seconds: float) -> None:
        began = time.monotonic()
        _set_active(active=False)
        time.sleep(seconds)
        _set_active(active=True)
        self._disturbances.append((began, time.monotonic()))

    def _restart(self) -> None:
        began = time.monotonic()
        self._prefect.restart()
        self._disturbances.append((began, time.monotonic()))

    def _is_disturbed(self, started: float, ended: float) -> bool:
        return any(started <= after and before <= ended for before, after in self._disturbances)


def _state_of_limit() -> str:
    with get_client(sync_client=True) as client:
        limit = client.read_global_concurrency_limit_by_name(LIMIT)
    return f"Prefect counts {limit.active_slots} of {limit.limit} slots of '{LIMIT}' as taken."


def _set_active(*, active: bool) -> None:
    with get_client(sync_client=True) as client:
        client.update_global_concurrency_limit(LIMIT, GlobalConcurrencyLimitUpdate(active=active))
