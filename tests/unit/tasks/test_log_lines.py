"""What an artist reads in a run's log: every line has its subject."""

import logging

import pytest

from tasks.log_lines import TASK_RUNS, StepFormatter, is_worth_reading


def record(message: str, name: str = TASK_RUNS, step: str | None = "age 45") -> logging.LogRecord:
    made = logging.LogRecord(name, logging.INFO, __file__, 1, message, None, None)
    if step:
        made.task_run_name = step
    return made


@pytest.mark.parametrize(
    ("message", "step", "line"),
    [
        ("done in 0.72 s (engine 0.35 s)", "age 45", "age 45: done in 0.72 s (engine 0.35 s)"),
        ("age 45: done", "age 45", "age 45: done"),
        ("Finished in state Failed()", "age 45", "age 45: Finished in state Failed()"),
        ("Beginning flow run", None, "Beginning flow run"),
    ],
)
def test_a_line_of_a_step_names_it_once(message: str, step: str | None, line: str) -> None:
    assert StepFormatter().format(record(message, step=step)) == line


@pytest.mark.parametrize(
    ("message", "name", "kept"),
    [
        ("Finished in state Completed()", TASK_RUNS, False),
        ("Finished in state NotReady('Upstream task run ...', type=PENDING)", TASK_RUNS, False),
        ("Finished in state Completed()", "prefect.flow_runs", True),
        ("Finished in state Failed('no face')", TASK_RUNS, True),
        ("done in 0.72 s", TASK_RUNS, True),
    ],
)
def test_prefect_has_no_line_for_a_step_that_succeeded_or_was_not_started(
    message: str, name: str, kept: bool
) -> None:
    assert is_worth_reading(record(message, name)) is kept
