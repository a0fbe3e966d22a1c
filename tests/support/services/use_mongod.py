"""A program that uses the `mongod` of a state directory until its input ends."""

import sys
from pathlib import Path

from storycanvas.services.mongod import Mongod
from storycanvas.services.shared import acquire

with acquire(Mongod(), Path(sys.argv[1])) as lease:
    print(lease.url, flush=True)
    sys.stdin.read()
