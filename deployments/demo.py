"""The demo: start the local stack, run both face flows on the sample character, end the stack.

`make demo`, or `python -m deployments.demo`. The runs are a process of their own, because Prefect
reads its environment when it is imported.
"""

import os
import subprocess
import sys

from deployments.local_stack import STATE_DIR, local_stack
from storycanvas.services.errors import ServiceError


def main() -> int:
    """Run the demo; the exit code is that of its runs."""
    try:
        with local_stack(STATE_DIR) as stack:
            environment = {
                **os.environ,
                **stack.environment,
                "PREFECT_LOGGING_LEVEL": "WARNING",
                "STORYCANVAS_STATE": str(stack.state_dir),
            }
            runs = [sys.executable, "-m", "deployments.demo_runs"]
            return subprocess.run(runs, env=environment, check=False).returncode  # noqa: S603 - our own words
    except ServiceError as error:
        print(error, file=sys.stderr)
        return 1


if __name__ == "__main__":
    sys.exit(main())
