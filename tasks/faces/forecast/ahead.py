"""What waits for the GPU before a run, and how long that takes."""

import time

import httpx

from storycanvas.gpu.guard.ahead import Ahead, ahead_of
from storycanvas.gpu.guard.limit import GpuLimit
from storycanvas.gpu.guard.presence import Note, RunInfo, read_notes
from storycanvas.gpu.prefect_client import run_log
from storycanvas.net.wording import about, counted
from tasks.faces.context import RunContext
from tasks.faces.forecast.usual import UsualSeconds


def ahead_sentence(context: RunContext, engine: str, priority: int) -> str:
    """Write what would wait before a run that began now; empty where the server does not say."""
    seconds = UsualSeconds(context.database, engine).of_any()
    try:
        return _sentence(read_ahead(context, priority, time.time(), seconds))
    except httpx.HTTPError as error:
        run_log(__name__).warning("What waits for the hosts is not known: %s", error)
        return ""


def read_ahead(
    context: RunContext, priority: int, since: float, step_seconds: float | None
) -> Ahead:
    """Read what goes before a run, from the notes of all processes on Prefect's server.

    Args:
        context: The run's context.
        priority: The run's.
        since: When it began to wait, seconds since 1970.
        step_seconds: What an operation takes; None where that is not known.
    """
    own = RunInfo(run=context.run_name, run_id=context.run_id, priority=priority, since=since)
    slots = sum(host.slots for host in context.hosts.hosts.values())
    return ahead_of(own, _notes(context), step_seconds=step_seconds, slots=slots)


def _notes(context: RunContext) -> list[Note]:
    notes: list[Note] = []
    for host in context.hosts.hosts.values():
        with GpuLimit(host.limit_name) as limit:
            notes += read_notes(limit.client, limit.name)
    return notes


def _sentence(ahead: Ahead) -> str:
    if not ahead.runs:
        return "Nothing waits for the GPU before it now."
    seconds = "" if ahead.seconds is None else f", {about(ahead.seconds)}"
    return f"{counted(ahead.runs, 'run')} before it now{seconds}."
