"""Parameter types that flows share, so that the same value has the same bounds in every form."""

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Annotated, Any, cast

from coolname.data import config
from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from pydantic import BeforeValidator, Field, StringConstraints, WithJsonSchema

from storycanvas.faces.operations import Age, EnhancementModel, FaceSwapperModel
from storycanvas.faces.recipes.steps import Choice, EnhancerChoice, SwapperChoice


def dry_run_name() -> str:
    """Name a run after its flow, and mark a dry run."""
    dry = " (dry run)" if flow_run.parameters.get("dry_run") else ""
    return f"{flow_run.flow_name}{dry}"


def unless_typed(wanted: str | Callable[[], str]) -> Callable[[], str]:
    """Name a run, unless a person did; `wanted` may have the run's parameters in braces."""

    def name() -> str:
        typed = flow_run.name
        if typed and not is_drawn(typed):
            return str(typed)
        if not isinstance(wanted, str):
            return wanted()
        given = flow_run.parameters
        stripped = {key: value.strip() for key, value in given.items() if isinstance(value, str)}
        return wanted.format(**given | stripped)

    return name


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


Stripped = StringConstraints(strip_whitespace=True)
"""For every text of a form: Enter in a field of the Prefect UI adds a line break to the value."""

Text = Annotated[str, Stripped]
CharacterId = Annotated[str, Stripped, Field(min_length=1, max_length=200)]
Reference = Annotated[str, Stripped, Field(min_length=1, max_length=2000)]
PresetName = Annotated[str, Stripped, Field(min_length=1, max_length=200)]
Priority = Annotated[int, Field(ge=-100, le=100)]
Ages = Annotated[list[Age], Field(min_length=1, max_length=50)]

ServerUrls = Annotated[list[Reference], Field(max_length=100)]
FilePath = Annotated[str, Stripped, Field(min_length=1, max_length=4000)]
SearchText = Annotated[str, Stripped, Field(min_length=1, max_length=200)]


def _none_if_blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


LeftEmpty = BeforeValidator(_none_if_blank)
"""For texts that may be left empty: one Enter in such a field sends a line break."""

OptionalText = Annotated[Text | None, LeftEmpty]
OptionalReference = Annotated[Reference | None, LeftEmpty]
OptionalPresetName = Annotated[PresetName | None, LeftEmpty]
OptionalFilePath = Annotated[FilePath | None, LeftEmpty]
OptionalSearchText = Annotated[SearchText | None, LeftEmpty]


def _dropdown(*choices: str) -> WithJsonSchema:
    """Offer the choices in one dropdown; a union would be a row of tabs in the Prefect UI."""
    return WithJsonSchema({"type": "string", "enum": [str(choice) for choice in choices]})


Enhancer = Annotated[EnhancerChoice, _dropdown(*Choice, *EnhancementModel)]
Swapper = Annotated[SwapperChoice, _dropdown(Choice.AS_PREFERRED, *FaceSwapperModel)]

WORKERS = cast("TaskRunner[PrefectFuture[Any]]", ThreadPoolTaskRunner(max_workers=8))
"""Threads of a run: enough to fetch, store and record while one step holds the GPU."""
