"""A line for each operation that begins and that ends, for tests to count."""

import hashlib
import json
import os
import sys
from pathlib import Path
from typing import Any

from facefusion.places import HOME

LOG = HOME / "operations.log"


def begin(args: dict[str, Any], misbehaving: str | None) -> dict[str, Any]:
    """Write that an operation begins; give what `end` needs."""
    operation = {
        "pid": os.getpid(),
        "processors": args.get("processors"),
        "target": sha256(args.get("target_path")),
        "argv": sys.argv[1:],
        "misbehaviour": misbehaving,
    }
    append({"event": "begin", **operation})
    return operation


def end(operation: dict[str, Any], code: int) -> None:
    """Write that an operation ended by itself, with its code; a killed one has no such line."""
    append({"event": "end", **operation, "code": code})


def sha256(path: str | None) -> str | None:
    """Return the hash of a file, or None where there is none."""
    if not path or not Path(path).is_file():
        return None
    return hashlib.sha256(Path(path).read_bytes()).hexdigest()


def append(event: dict[str, Any]) -> None:
    """Add one line, whole, even when several processes write."""
    line = json.dumps(event) + "\n"
    file = os.open(LOG, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o644)
    try:
        os.write(file, line.encode())
    finally:
        os.close(file)
