"""The command `storycanvas-host`, the same as `python -m storycanvas.host`."""

import importlib
import logging
import os
import sys
from collections.abc import Sequence
from typing import cast

from pydantic import ValidationError

from storycanvas.faces.errors import HostNotReady
from storycanvas.faces.pictures.freed_memory import give_back_freed_pictures
from storycanvas.host.command_line import (
    host_parser,
    load_engine,
    refusal,
    settings_of,
)
from storycanvas.host.engines.engine import EngineUnusable
from storycanvas.host.log import start_logging
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
        options = vars(host_parser().parse_args(words))
        if options["log_file"]:  # first, so that it has what is wrong with the other settings
            start_logging(options["log_file"].expanduser())
        settings = settings_of(options, os.environ)
        give_back_freed_pictures()
        serve(settings, load_engine(settings, os.environ))
    except ValidationError as error:
        _log.error("cannot start: %s", refusal(error))
        return EXIT_REFUSED
    except (OSError, ImportError, EngineUnusable, HostNotReady) as error:
        _log.error("cannot start: %s", error)
        return EXIT_REFUSED
    return 0


def run_doctor(words: Sequence[str]) -> int:
    """Examine this machine; imported late, since a host that serves needs none of it."""
    command = importlib.import_module("storycanvas.host.doctor.command")
    return cast("int", command.run_doctor(words, os.environ))


if __name__ == "__main__":
    sys.exit(main())
