"""Kill processes that share a GPU slot, round after round, and check the guard's claims.

    python -m tests.system.chaos [--rounds 20] [--scale 0.25] [--seed 8]

The exit code is 1 when a claim does not hold.
"""

import argparse
import sys
import tempfile
from pathlib import Path

from prefect.settings import PREFECT_API_URL, temporary_settings

from tests.support.guard.processes import OwnPrefect
from tests.system.chaos.rounds import CALLS, KILLS, Chaos


def main() -> int:
    """Run the rounds."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.system.chaos", description=__doc__.split("\n", maxsplit=1)[0]
    )
    parser.add_argument("--rounds", type=int, default=20, help="how many; 20 take an hour")
    parser.add_argument("--scale", type=float, default=1.0, help="part of the usual calls")
    parser.add_argument("--seed", type=int, default=8, help="which processes are killed, and when")
    options = parser.parse_args()
    calls = max(1, round(CALLS * options.scale))
    with (
        tempfile.TemporaryDirectory() as folder,
        OwnPrefect(Path(folder)) as prefect,
        temporary_settings({PREFECT_API_URL: prefect.url}),
    ):
        chaos = Chaos(prefect, Path(folder), options.seed)
        broken = chaos.run(options.rounds, calls=calls, kills=KILLS)
    print(f"claims that do not hold: {', '.join(broken) or 'none'}")
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
