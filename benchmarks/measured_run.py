"""What measuring adds to a run, side by side with the same run without it.

    python -m benchmarks.measured_run [--ages 20] [--seconds 1.0] [--rounds 2]

The flow `age-progression` with independent ages of the sample portrait, on a real database, Prefect
server and host, whose engine takes a fixed time. Both kinds of run take turns, so that what else
the machine does meets both. Likeness is part of it where dlib is installed.
"""

import argparse
import os
import sys
import tempfile
import time
from pathlib import Path
from statistics import mean, median

from benchmarks.whole_run import YOUNGEST, TimedHost, services
from blocks.face_host import FaceHost as FaceHostBlock
from blocks.limits import create_limit
from deployments.sample import CHARACTER_ID
from flows.age_progression import age_progression
from storycanvas.faces.reports.steps import FaceRunReport
from storycanvas.faces.settings import FaceSettings
from storycanvas.services.shared import acquire

MAX_GROWTH = 0.05


def run(ages: list[int], *, measure: bool) -> tuple[float, FaceRunReport]:
    """Run the flow, all pictures made anew; return its seconds and its report."""
    started = time.perf_counter()
    report = age_progression(
        CHARACTER_ID,
        ages=ages,
        enhance=None,
        settings=FaceSettings(measure=measure),
        force=True,
    )
    return time.perf_counter() - started, report


def compare(ages: list[int], rounds: int) -> tuple[list[float], list[float], list[float]]:
    """Run both kinds in turns, once unmeasured before, which connects and compiles.

    Returns:
        Seconds of runs without and with measuring, and of measuring each picture.
    """
    run(ages[:1], measure=True)
    without, measured, pictures = [], [], []
    for _ in range(rounds):
        without.append(run(ages, measure=False)[0])
        seconds, report = run(ages, measure=True)
        measured.append(seconds)
        pictures += [step.measure.seconds for step in report.steps if step.measure]
    return without, measured, pictures


def main() -> int:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n", maxsplit=1)[0])
    parser.add_argument("--ages", type=int, default=20, help="how many independent steps")
    parser.add_argument("--seconds", type=float, default=1.0, help="of each operation")
    parser.add_argument("--rounds", type=int, default=2, help="how many runs of each kind")
    options = parser.parse_args()
    ages = [YOUNGEST + number for number in range(options.ages)]
    with tempfile.TemporaryDirectory() as name, services(Path(name)):
        host = TimedHost(options.seconds, Path(name) / "notes")
        with acquire(host, Path(name) / "host") as started:
            os.environ["FACEFUSION_URL"] = started.url
            create_limit(FaceHostBlock(url=started.url).limit_name, 1)
            without, measured, pictures = compare(ages, options.rounds)
    growth = min(measured) / min(without) - 1
    print(f"{options.ages} operations of {options.seconds:g} s, the best of {options.rounds} runs:")
    print(f"  {min(without):.2f} s without measuring")
    print(f"  {min(measured):.2f} s with it: {growth:+.1%}")
    print(
        f"  {median(pictures) * 1000:.0f} ms for a picture, {mean(pictures) * 1000:.0f} on average"
    )
    return 0 if growth < MAX_GROWTH else 1


if __name__ == "__main__":
    sys.exit(main())
