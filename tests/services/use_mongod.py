"""A program that uses the `mongod` of a state directory until its input ends."""

import sys
from pathlib import Path

from services.mongod import Mongod
from services.shared import acquire

with acquire(Mongod(), Path(sys.argv[1])) as lease:
    print(lease.url, flush=True)  # noqa: T201 - read by the test
    sys.stdin.read()
