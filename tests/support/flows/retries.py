"""Another number of retries for the tasks of one test."""

import importlib
import pkgutil
from collections.abc import Iterator
from typing import Any

import pytest
from prefect import Task

import tasks
from blocks.environment import Environment
from tasks.retries import is_retryable


def set_retries(monkeypatch: pytest.MonkeyPatch, retries: int, *, seconds: float = 0.0) -> None:
    """Give all tasks other retries, here and in processes that the test starts.

    Tasks read the environment when they are imported, which was before this test began.
    """
    every = list(_retrying_tasks())  # imports what is left with the environment as it was
    monkeypatch.setenv("STORYCANVAS_STEP_RETRIES", str(retries))
    monkeypatch.setenv("STORYCANVAS_RETRY_SECONDS", str(seconds))
    for each in every:
        monkeypatch.setattr(each, "retries", retries)
        monkeypatch.setattr(each, "retry_delay_seconds", Environment().retry_delays)


def _retrying_tasks() -> Iterator[Task[..., Any]]:
    for module in pkgutil.walk_packages(tasks.__path__, "tasks."):
        for value in vars(importlib.import_module(module.name)).values():
            if isinstance(value, Task) and value.retry_condition_fn is is_retryable:
                yield value
