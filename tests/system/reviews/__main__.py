"""Have a run wait for a person for minutes while its worker is killed, and answer it.

    python -m tests.system.reviews [--seconds 360]

The deployment's limit is on, as it always is. A claim that does not hold ends it with exit code 1.
"""

import argparse
import tempfile
from pathlib import Path

from tests.system.reviews.answering import answer_after
from tests.system.test_local_stack import command
from tests.system.test_runs_of_the_stack import Api


def main() -> None:
    """Start a stack, have it wait, answer, and stop it."""
    parser = argparse.ArgumentParser(
        prog="python -m tests.system.reviews", description=__doc__.split("\n", maxsplit=1)[0]
    )
    parser.add_argument("--seconds", type=float, default=360, help="how long there is no answer")
    options = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        state_dir = Path(folder) / "state"
        up = command("up", state_dir)
        assert up.returncode == 0, up.stderr
        try:
            answer_after(Api(state_dir), options.seconds, Path(folder) / "chromium")
        finally:
            command("down", state_dir)
    print("The run went on with its answer.")


if __name__ == "__main__":
    main()
