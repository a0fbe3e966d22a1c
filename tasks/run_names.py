"""Names of runs: which flow, for whom, and what, as in `enhance-faces · Mara · 12 pictures`.

Prefect names a run before anything is read, so its name has first what the character was given by,
and the character's own name as soon as that is loaded. A name that a person typed stays.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from functools import cache
from typing import Any, cast

import httpx
from coolname.data import config
from prefect.client.orchestration import get_client
from prefect.context import FlowRunContext
from prefect.logging import get_run_logger
from prefect.runtime import flow_run

SEPARATOR = " · "
_CHARACTER = "character_id"
_MAX_PART = 40
"""Letters of a part; the run's page shows its parameters in full."""


class RunName:
    """Makes a run's name, which Prefect calls for it.

    Args:
        wanted: The name, with parameters in braces; a part of it that comes out empty is left out.
            Or what makes the name of a run without a character.
    """

    def __init__(self, wanted: str | Callable[[], str]) -> None:
        self._wanted = wanted

    def __call__(self) -> str:
        """Name a run, unless a person did."""
        typed = flow_run.name
        return str(typed) if typed and not is_drawn(typed) else self._made(flow_run.parameters)

    def with_character(self, present: str, name: str) -> str:
        """Put a character's name into a run's present name; one that a person typed stays."""
        given = flow_run.parameters
        if present != self._made(given):
            return present
        return self._made({**given, _CHARACTER: name})

    def with_words(self, present: str, words: str) -> str:
        """Put words behind a run's present name; one that a person typed stays."""
        made = self._made(flow_run.parameters)
        return SEPARATOR.join([made, words]) if present == made else present

    def _made(self, given: Mapping[str, Any]) -> str:
        if not isinstance(self._wanted, str):
            return self._wanted()
        return name_of(self._wanted, given) + (" (dry run)" if given.get("dry_run") else "")


def name_of(wanted: str, given: Mapping[str, Any]) -> str:
    """Write a name with the values of parameters, each in a few words; empty parts are left out."""
    shown = _Shown({name: part_of(name, value) for name, value in given.items()})
    parts = (" ".join(part.format_map(shown).split()) for part in wanted.split(SEPARATOR))
    return SEPARATOR.join(filter(None, parts))


class _Shown(dict[str, str]):
    def __missing__(self, key: str) -> str:
        return ""


def part_of(name: str, value: object) -> str:
    """Write a parameter's value as a part of a name: ages as a range, pictures by their files.

    A list of several other values is counted in the parameter's name; so is what is switched on.
    """
    noun = name.replace("_", " ")
    if isinstance(value, bool):
        return noun if value else ""
    if isinstance(value, list | tuple):
        return _part_of_list(noun, value)
    text = "" if value is None else str(value)
    if name != _CHARACTER and "/" in text:  # an address may hold a secret behind its path
        text = re.split(r"[?#]", text)[0].rstrip("/").rpartition("/")[2]
    text = " ".join(text.split())
    return text if len(text) <= _MAX_PART else f"{text[: _MAX_PART - 1]}…"


def _part_of_list(noun: str, values: Sequence[object]) -> str:
    numbers = sorted({each for each in values if isinstance(each, int)})
    if len(numbers) > 1 and len(numbers) == len(set(map(str, values))):
        return f"{numbers[0]}–{numbers[-1]}"
    if len(values) == 1:
        return part_of(noun, values[0])
    return f"{len(values)} {noun}" if values else ""


def renamed_for(name: str) -> str | None:
    """Put a character's name into this run's name, and return it; None outside of a flow's run."""
    return _renamed(lambda names, present: names.with_character(present, name))


def renamed_with(words: str) -> str | None:
    """Put what a run came to behind its name, and return it; None outside of a flow's run."""
    return _renamed(lambda names, present: names.with_words(present, words))


def _renamed(change: Callable[[RunName, str], str]) -> str | None:
    """Change this run's name.

    A name is worth no failure: where the server does not take it, the run keeps the other.
    """
    run = FlowRunContext.get()
    if run is None or run.flow is None or run.flow_run is None:
        return None
    names = run.flow.flow_run_name
    present = run.flow_run.name
    wanted = change(names, present) if isinstance(names, RunName) else present
    if wanted == present:
        return present
    try:
        with get_client(sync_client=True) as client:
            client.set_flow_run_name(run.flow_run.id, wanted)
    except httpx.HTTPError as error:
        get_run_logger().debug("The run keeps its name: %s", type(error).__name__)
        return present
    run.flow_run.name = wanted
    return wanted


def is_drawn(name: str) -> bool:
    """Check whether Prefect drew a name at random: its server, or the run form of its UI."""
    return bool(_OF_THE_FORM.fullmatch(name)) or _drawn_words("2").issuperset(name.split("-"))


_OF_THE_FORM = re.compile(
    "(Awesome|Rustic|Small|Gorgeous|Fantastic|Sleek|Intelligent|Unbranded|Refined|Licensed|Generic"
    "|Practical|Ergonomic|Handcrafted|Tasty|Handmade|Incredible)-.{1,6}"
)


@cache
def _drawn_words(kind: str) -> frozenset[str]:
    """Collect the words of a kind of name in coolname, from which Prefect's server draws."""
    entry = cast("Mapping[str, Any]", config[kind])
    phrases = [*entry.get("words", ()), *entry.get("phrases", ())]
    words = " ".join(" ".join(p) if isinstance(p, list | tuple) else p for p in phrases).split()
    return frozenset(words).union(*map(_drawn_words, entry.get("lists", ())))
