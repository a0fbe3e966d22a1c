"""The engines that a host can be started with."""

import importlib
from typing import cast

from host.engines.engine import Engine

ENGINES = {"preview": ("host.engines.preview", "PreviewEngine")}
"""Module and class by name; a module is imported only when its engine is chosen."""


def load_engine(name: str) -> Engine:
    """Import and build an engine.

    Args:
        name: A key of `ENGINES`.

    Raises:
        ImportError: What the engine needs is not installed.
    """
    module, class_name = ENGINES[name]
    return cast("Engine", getattr(importlib.import_module(module), class_name)())
