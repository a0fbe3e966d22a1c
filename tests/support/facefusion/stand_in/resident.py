"""Keeps the stand-in in one process: runs each command line it is given, as lines of JSON."""

import json
import sys
from pathlib import Path

HOME = Path.cwd()


def run(arguments: list[str]) -> int:
    """Run one command line in this process; tell its code."""
    from facefusion import args, core, logger, program, program_helper, state_manager  # noqa: PLC0415
    from facefusion.jobs import job_manager  # noqa: PLC0415 - only the checkout has them

    sys.argv = [str(HOME / "facefusion.py"), *arguments]
    parser = program.create_program()
    if not program_helper.validate_args(parser):
        return 2
    given = vars(parser.parse_args())
    args.apply_args(given, state_manager.init_item)
    logger.init(state_manager.get_item("log_level"))
    job_manager.init_jobs(state_manager.get_item("jobs_path"))
    return int(core.process_headless(given))


if __name__ == "__main__":
    sys.path.insert(0, str(HOME))
    codes = [run(json.loads(line)) for line in sys.stdin]
    sys.stdout.write(json.dumps(codes))
