"""The command `storycanvas-host`, the same as `python -m storycanvas.host`."""

import importlib
import logging
import os
import sys
from collections.abc import Sequence
from typing import cast

from pydantic import ValidationError

from storycanvas.host.command_line import load_engine, read_settings, refusal
from storycanvas.host.engines.engine import EngineUnusable
from storycanvas.host.serving import serve

_log = logging.getLogger("host")

EXIT_REFUSED = 2
DOCTOR = "doctor"


def main(argv: Sequence[str] | None = None) -> int:
    """Run a host until a signal stops it, or the doctor if that is the first word.

    Returns:
        2 if the host refuses to start; what the doctor returns. After a stop, and with a wrong
        command line, SystemExit ends the process with 0 or 2.
    """
    start_logging()
    words = sys.argv[1:] if argv is None else list(argv)
    try:
        if words[:1] == [DOCTOR]:
            return run_doctor(words[1:])
        settings = read_settings(argv, os.environ)
        serve(settings, load_engine(settings, os.environ))
    except ValidationError as error:
        _log.error("cannot start: %s", refusal(error))
        return EXIT_REFUSED
    except (OSError, ImportError, EngineUnusable) as error:
        _log.error("cannot start: %s", error)
        return EXIT_REFUSED
    return 0


def run_doctor(words: Sequence[str]) -> int:
    """Examine this machine; imported late, since a host that serves needs none of it."""
    command = importlib.import_module("storycanvas.host.doctor.command")
    return cast("int", command.run_doctor(words, os.environ))


def start_logging() -> None:
    """Log to standard error, without the addresses that httpx would write out in full."""
    logging.basicConfig(
        level=logging.INFO, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
    )
    logging.getLogger("httpx").setLevel(logging.WARNING)


if __name__ == "__main__":
    sys.exit(main())
