"""What a person reads of a run: the lines of its log in Prefect's UI, and its end when it fails.

Each line names its step, and none repeats what the page shows: the newer UI shows the lines of all
steps in one list, without the names of their task runs.

A foreseen error ends a run as Failed, with one sentence. One that a flow raises is logged by
Prefect three times, each time with the whole traceback, and its message begins with words of
Prefect's own; a state that a flow returns is taken as it is. Errors that no class foresees keep
their tracebacks: those are for a programmer.
"""

import functools
import inspect
import logging
from collections.abc import Callable
from typing import Any, ParamSpec, TypeVar, cast

from prefect.exceptions import FailedRun, ParameterTypeError
from prefect.logging import get_run_logger
from prefect.logging.handlers import APILogHandler
from prefect.runtime import task_run
from prefect.states import Failed

from tasks.parameters import parameter_check

P = ParamSpec("P")
R = TypeVar("R")

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


_LOGGERS = ("prefect.flow_runs", "prefect.task_runs", "prefect.engine")


def is_foreseen(error: object) -> bool:
    """Check for an error of this project: its class states whether a retry may help."""
    return hasattr(type(error), "retryable") or isinstance(error, FailedRun | ParameterTypeError)


def failing_in_a_sentence(function: Callable[P, R]) -> Callable[P, R]:
    """Make the function of a flow return `Failed` with the sentence of an error that is foreseen.

    A call from Python raises the error as ever: Prefect raises what a failed state holds. The
    function checks its parameters itself; give Prefect `validate_parameters=False`, which would
    write a list of Python values into the log and into the state.
    """
    checked = parameter_check(function)
    signature = inspect.signature(function)

    @functools.wraps(function)
    def run(*args: P.args, **kwargs: P.kwargs) -> Any:  # noqa: ANN401 - a state besides the result
        try:
            # By name: a problem with the n-th of them would be named by its number.
            named = signature.bind_partial(*args, **kwargs).arguments
            given, by_name = checked(named)
            return function(*given, **by_name)
        except Exception as error:
            if not is_foreseen(error):
                raise
            get_run_logger().error("%s: %s", type(error).__name__, error)
            return Failed(message=str(error), data=error)

    # Prefect takes a flow's version and its entry point from the file of the function's code.
    own: Any = run
    own.__code__ = own.__code__.replace(co_filename=inspect.getsourcefile(function))
    return cast("Callable[P, R]", run)


def _is_worth_a_line(record: logging.LogRecord) -> bool:
    """Leave out Prefect's tracebacks of foreseen errors, whose sentence stands in the log."""
    error = record.exc_info[1] if record.exc_info else None
    return not is_foreseen(error)


for _name in _LOGGERS:
    logging.getLogger(_name).addFilter(_is_worth_a_line)
