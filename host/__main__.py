"""The command `storycanvas-host`, the same as `python -m host`."""

import logging
import os
import sys
from collections.abc import Sequence

from pydantic import ValidationError

from host.command_line import read_settings, refusal
from host.engine_choice import load_engine
from host.serving import serve

_log = logging.getLogger("host")

EXIT_REFUSED = 2


def main(argv: Sequence[str] | None = None) -> int:
    """Run a host until it is told to stop.

    Args:
        argv: The command line without the program's name; None takes the process's own.

    Returns:
        2 if the host refuses to start.

    Raises:
        SystemExit: With status 0 after a stop, with 2 if the command line is wrong.
    """
    start_logging()
    try:
        settings = read_settings(argv, os.environ)
        serve(settings, load_engine(settings.engine))
    except ValidationError as error:
        _log.error("cannot start: %s", refusal(error))
        return EXIT_REFUSED
    except (OSError, ImportError) as error:
        _log.error("cannot start: %s", error)
        return EXIT_REFUSED
    return 0


def start_logging() -> None:
    """Log to standard error, without the addresses that httpx would write out in full."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
