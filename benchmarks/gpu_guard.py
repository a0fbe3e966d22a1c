"""The guard beside the plain use of Prefect's limit and beside a bare loop of calls, in one run.

    python -m benchmarks.gpu_guard [--scale 0.25] [--rounds 1] [--only guard]

The judge is a host that serves every call in a fixed time and counts calls that come while another
is in service. Busy is the sum of service times over the time from the first start to the last end.
The calls are those of each process, or as many for each host. The wait is the longest of a process
for its turn; the gain is calls per second over those of one host. The guard is measured through the
call that runs make: `storycanvas.gpu.pool.attempt.run_with_failover`. DBOS gets an environment of
its own in `.storycanvas/bench-dbos`, made on first use.
The exit code is 1 when a claim does not hold.
"""

import argparse
import os
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.support.guard.cases import (
    CASES,
    LOADS,
    Case,
    Figures,
    Load,
    broken_claims,
    measure,
    middle,
)
from tests.support.guard.processes import OwnPrefect

LEAST_CALLS = 4
ROW = "{:34} {:12} {:>7} {:>8} {:>7} {:>6} {:>8}  {}"


def compare(prefect: OwnPrefect, cases: Sequence[Case], scale: float, rounds: int) -> int:
    """Measure every case, print a table, and count the claims that do not hold."""
    print(ROW.format("", "calls", "busy", "wait", "calls/s", "gain", "overlaps", ""))
    broken = 0
    for number, load in enumerate(LOADS):
        scaled = Load(max(LEAST_CALLS, round(load.calls * scale)), load.seconds)
        one_host = None
        for case in cases:
            figures = middle([measure(prefect, case, scaled) for _ in range(rounds)])
            if case.is_ours and case.hosts == 1 and case.processes == 1:
                one_host = figures.rate
            gain = figures.rate / (one_host or 1 / load.seconds)
            wrong = list(broken_claims(case, figures, short=number == 0, gain=gain))
            broken += len(wrong)
            print(_row(case, scaled, figures, gain, wrong), flush=True)
    return broken


def _row(case: Case, load: Load, figures: Figures, gain: float, wrong: Sequence[str]) -> str:
    return ROW.format(
        case.title,
        str(load),
        f"{figures.busy:.1%}",
        f"{figures.wait:.1f} s",
        f"{figures.rate:.2f}",
        f"{gain:.2f}" if case.least_gain else "",
        figures.overlaps,
        "; ".join(wrong).upper() or ("holds" if case.is_ours else ""),
    )


def arguments() -> argparse.Namespace:
    """Read the command line."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument(
        "--scale", type=float, default=1.0, help="part of the calls; claims are for 1"
    )
    parser.add_argument("--rounds", type=int, default=1, help="each figure is the middle of these")
    parser.add_argument("--only", default="", help="cases whose title holds this")
    return parser.parse_args()


def main() -> int:
    """Measure and print; the exit code is 1 when a claim does not hold."""
    options = arguments()
    load = " ".join(f"{average:.1f}" for average in os.getloadavg())
    print(f"load average at start: {load} on {os.cpu_count()} cores")
    with (
        tempfile.TemporaryDirectory() as folder,
        OwnPrefect(Path(folder)) as prefect,
        temporary_settings({PREFECT_API_URL: prefect.url}),
    ):
        cases = [case for case in CASES if options.only in case.title]
        broken = compare(prefect, cases, options.scale, options.rounds)
    print(f"claims that do not hold: {broken}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
