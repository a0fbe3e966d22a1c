"""Parameter types that flows share, so that the same value has the same bounds in every form."""

from collections.abc import Callable
from typing import Annotated, Any, cast

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


def run_name(pattern: str) -> Callable[[], str]:
    """Name runs by their parameters as they were given, but for white space around them."""

    def name() -> str:
        given = flow_run.parameters
        stripped = {key: value.strip() for key, value in given.items() if isinstance(value, str)}
        return pattern.format(**given | stripped)

    return name


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
