"""Parameter types that flows share, so that the same value has the same bounds in every form."""

from typing import Annotated, Any, cast

from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from pydantic import Field

from storycanvas.faces.operations import Age


def dry_run_name() -> str:
    """Name a run after its flow, and mark a dry run."""
    dry = " (dry run)" if flow_run.parameters.get("dry_run") else ""
    return f"{flow_run.flow_name}{dry}"


CharacterId = Annotated[str, Field(min_length=1, max_length=200)]
Reference = Annotated[str, Field(min_length=1, max_length=2000)]
PresetName = Annotated[str, Field(min_length=1, max_length=200)]
Priority = Annotated[int, Field(ge=-100, le=100)]
Ages = Annotated[list[Age], Field(min_length=1, max_length=50)]

ServerUrls = Annotated[list[Reference], Field(min_length=1, max_length=100)]
FilePath = Annotated[str, Field(min_length=1, max_length=4000)]
SearchText = Annotated[str, Field(min_length=1, max_length=200)]

WORKERS = cast("TaskRunner[PrefectFuture[Any]]", ThreadPoolTaskRunner(max_workers=8))
"""Threads of a run: enough to fetch, store and record while one step holds the GPU."""
