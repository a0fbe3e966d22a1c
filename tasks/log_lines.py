"""The lines of a run's log in Prefect's UI: each names its step, and none repeats what it shows.

The newer UI shows the lines of all steps in one list, without the names of their task runs.
"""

import logging

from prefect.logging.handlers import APILogHandler
from prefect.runtime import task_run

TASK_RUNS = "prefect.task_runs"
_NOISE = ("Finished in state Completed()", "Finished in state NotReady(")
"""How Prefect's lines begin for each task run that succeeded, which the UI shows in the graph and
under *Task Runs*, and for each that was not started, which has no name by then; the report says why
it was not."""


class StepFormatter(logging.Formatter):
    """Begins each line of a task run with the name of that run."""

    def format(self, record: logging.LogRecord) -> str:
        """Format a record; a line of a module is that of the step that called it."""
        text = super().format(record)
        step = getattr(record, "task_run_name", None) or task_run.name
        return f"{step}: {text}" if step and not text.startswith(f"{step}:") else text


def is_worth_reading(record: logging.LogRecord) -> bool:
    """Whether a person has a use for a record."""
    return not (record.name == TASK_RUNS and record.getMessage().startswith(_NOISE))


def name_steps_in_log() -> None:
    """Apply both to what Prefect's server gets; a terminal's lines name their task run already."""
    for handler in logging.getLogger(TASK_RUNS).handlers:
        if isinstance(handler, APILogHandler):
            handler.setFormatter(StepFormatter())
            handler.addFilter(is_worth_reading)
