"""The options of `headless-run`, as written down in the contract file."""

import json
from functools import lru_cache
from typing import Any

from facefusion.places import CONTRACT


@lru_cache
def read() -> dict[str, Any]:
    """Read the whole contract file once."""
    found: dict[str, Any] = json.loads(CONTRACT.read_text())
    return found


def groups() -> dict[str, list[dict[str, Any]]]:
    """Return the options by their group, in the order in which FaceFusion registers them."""
    found: dict[str, list[dict[str, Any]]] = read()["headless_run"]["options"]
    return found


def job_keys() -> frozenset[str]:
    """Return the options that belong to a job; all others belong to a step."""
    return frozenset(read()["headless_run"]["scopes"]["job_keys"])


def step_keys() -> frozenset[str]:
    """Return the options that are stored with a step in the job file."""
    every = {option["dest"] for options in groups().values() for option in options}
    return frozenset(every - job_keys())


def sizes_of_model(dest: str) -> dict[str, Any] | None:
    """Return what the choices of `dest` depend on, or None where they are fixed."""
    found: dict[str, Any] | None = read()["dependent_choices"].get(dest)
    return found


def grid(choices: object) -> list[Any] | None:
    """Write out the choices of an option; None when every value is taken."""
    if isinstance(choices, dict) and "step" in choices:
        low, step = choices["min"], choices["step"]
        steps = round((choices["max"] - low) / step)
        return [round(low + index * step, 2) for index in range(steps + 1)]
    return choices if isinstance(choices, list) else None
