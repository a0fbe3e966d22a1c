"""Kill Prefect servers that share their work, one after the other, while runs go on.

    python -m tests.system.team [--runs 60] [--every 20]

Every 20 seconds one of the two servers is killed and started again. The exit code is 1 when a run
fails or the host works on two operations at one time.
"""

import argparse
import itertools
import sys
import tempfile
import time
from pathlib import Path

from tests.system.team.installation import SERVERS, running_team
from tests.system.team.ten_runs import Work, ready_to_work, until

LONGEST_SECONDS = 3600.0


def main() -> int:
    """Run them."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.system.team", description=__doc__.split("\n", maxsplit=1)[0]
    )
    parser.add_argument("--runs", type=int, default=60, help="how many; 60 take a quarter hour")
    parser.add_argument("--every", type=float, default=20.0, help="seconds between two kills")
    options = parser.parse_args()
    with (
        tempfile.TemporaryDirectory() as folder,
        running_team(Path(folder)) as team,
        ready_to_work(team) as work,
    ):
        return examine(work, options.runs, options.every)


def examine(work: Work, count: int, every: float) -> int:
    """Have runs done while servers are killed, and print what went wrong."""
    runs = work.start(count)
    end = time.monotonic() + LONGEST_SECONDS
    for kills in itertools.count():
        time.sleep(every)
        ended = work.ended(runs)
        print(f"{len(ended)} of {count} runs ended, {kills} kills", flush=True)
        if len(ended) == count or time.monotonic() > end:
            break
        number = kills % SERVERS + 1
        work.team.kill(number)
        time.sleep(every / 4)
        work.team.restart(number)
    wrong = work.bad_states(runs)
    overlaps = work.overlaps()
    until(lambda: work.taken() == 0, 120)
    print(*[f"{name}: {message}" for name, message in wrong], sep="\n")
    print(f"{len(wrong)} bad states, {overlaps} overlaps of {len(work.host.served())} operations")
    return 1 if wrong or overlaps or len(work.ended(runs)) < count else 0


if __name__ == "__main__":
    sys.exit(main())
