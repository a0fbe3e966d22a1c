"""The engines that a host can be started with."""

import importlib
from collections.abc import Mapping
from typing import cast

from host.engines.engine import Engine
from host.settings import HostSettings

ENGINES = {"facefusion": "host.engines.facefusion.build", "preview": "host.engines.preview"}
"""Module by name; it is imported only when its engine is chosen, and has `build_engine`."""


def load_engine(settings: HostSettings, environment: Mapping[str, str]) -> Engine:
    """Import and build an engine.

    Args:
        settings: Its field `engine` is a key of `ENGINES`.
        environment: Where an engine finds what it drives.

    Raises:
        ImportError: What the engine needs is not installed.
        EngineUnusable: What it drives is missing or not supported.
    """
    package = importlib.import_module(ENGINES[settings.engine])
    return cast("Engine", package.build_engine(settings, environment))
