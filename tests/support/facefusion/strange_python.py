"""Stands in place of FaceFusion's Python, and is at times a worker that breaks the rules.

Each start takes one line off the file `strange` in the checkout and behaves as that names; where
there is none it becomes the Python that it stands for.
"""

import json
import os
import sys
import time
from pathlib import Path

MARK = "\x1e"
ANSWER = '{"exit": 0, "faces": []}'
FILE = Path("strange")


def write_strange_python(path: Path, home: Path, *behaviours: str) -> Path:
    """Write an executable file that starts this one; say what it does at its first starts."""
    (home / FILE).write_text("".join(f"{behaviour}\n" for behaviour in behaviours))
    path.write_text(f'#!/bin/sh\nexec "{sys.executable}" "{Path(__file__).resolve()}" "$@"\n')
    path.chmod(0o700)
    return path


def behaviour() -> str | None:
    first, *rest = [*FILE.read_text().splitlines(), ""]
    FILE.write_text("".join(f"{line}\n" for line in rest if line))
    return first or None


def say(text: str) -> None:
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def answer(text: str) -> None:
    sys.stdout.write(f"{text}\n")
    sys.stdout.flush()


def request() -> None:
    """Wait for one; the end of the input is the end of the host."""
    if not sys.stdin.readline():
        sys.exit(0)


def behave(how: str) -> None:
    if how.startswith("hello "):
        say(MARK)
        answer(how.removeprefix("hello "))
        return
    say(MARK)
    answer(json.dumps({"version": "3.8.1"}))
    request()
    match how:
        case "ends after the mark":
            say("about to end")
            say(MARK)
            sys.exit(7)
        case "writes more after its answer":
            answer(ANSWER)
            time.sleep(0.3)
            say("the last word")
            say(MARK)
        case "ends after its answer":
            answer(ANSWER)
            sys.exit(7)
        case _:
            say(MARK)
            answer(how)


def main() -> None:
    how = behaviour()
    if how is None:
        os.execv(sys.executable, [sys.executable, *sys.argv[1:]])  # noqa: S606 - no shell
    behave(how)
    while True:
        request()


if __name__ == "__main__":
    main()
