"""Judges a FaceFusion command line by the contract file alone."""

import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

_FILE = Path(__file__).resolve().parent / "contract_3_8_1.json"
_FORMS = {"int": r"-?\d+", "float": r"-?\d+(\.\d+)?", "str": r".+"}
_CONTRACT = json.loads(_FILE.read_text())
_OPTIONS: dict[str, dict[str, Any]] = {
    flag: option
    for group in _CONTRACT["headless_run"]["options"].values()
    for option in group
    for flag in option["flags"]
}


def complaints(arguments: Iterable[str]) -> list[str]:
    given = dict(_parted(arguments))
    if problem := given.pop("", None):
        return [f"{problem} before any option"]
    unknown = [name for name in given if name not in _OPTIONS]
    known = {name: values for name, values in given.items() if name in _OPTIONS}
    return [
        *(f"{name} is unknown" for name in unknown),
        *(complaint for name, values in known.items() for complaint in _wrong(name, values, known)),
    ]


def dests(arguments: Iterable[str]) -> set[str]:
    return {_OPTIONS[name]["dest"] for name, _ in _parted(arguments)}


def _parted(arguments: Iterable[str]) -> Iterator[tuple[str, list[str]]]:
    name, values = "", []
    for text in arguments:
        if text.startswith("--"):
            if name or values:
                yield name, values
            name, values = text, []
        else:
            values.append(text)
    yield name, values


def _wrong(name: str, values: list[str], given: dict[str, list[str]]) -> Iterator[str]:
    option = _OPTIONS[name]
    if not values or (option["nargs"] is None and len(values) != 1):
        yield f"{name} has {len(values)} values"
    choices = _choices(option, given)
    for value in values:
        if not re.fullmatch(_FORMS[option["type"]], value):
            yield f"{name} {value} is not {option['type']}"
        elif choices is not None and not _allowed(value, choices):
            yield f"{name} {value} is not a choice"


def _choices(option: dict[str, Any], given: dict[str, list[str]]) -> Any:  # noqa: ANN401 - JSON
    dependent = _CONTRACT["dependent_choices"].get(option["dest"])
    if dependent is None:
        return option.get("choices")
    master = _OPTIONS["--" + dependent["depends_on"].replace("_", "-")]
    (chosen,) = given.get(master["flags"][-1], [master["default"]])
    return dependent["by_model"][chosen]


def _allowed(value: str, choices: Any) -> bool:  # noqa: ANN401 - a list or a grid, from JSON
    if isinstance(choices, list):
        return value in map(str, choices)
    steps = (float(value) - choices["min"]) / choices["step"]
    on_grid = abs(steps - round(steps)) < 1e-6  # the text has two decimals, so this is exact
    return bool(choices["min"] <= float(value) <= choices["max"] and on_grid)
