"""The environment of Prefect's own programs: settled here, whatever the user's profile says."""

import os
from collections.abc import Mapping
from pathlib import Path


def prefect_environment(home: Path, settings: Mapping[str, str]) -> dict[str, str]:
    """Take this process's environment, with its Prefect settings replaced.

    Args:
        home: Where Prefect keeps profiles, results and its SQLite file, in place of `~/.prefect`.
        settings: Prefect settings and other variables to add.

    Returns:
        A whole environment.
    """
    # One setting left over, such as another server's database address, would reach beyond here.
    inherited = {key: value for key, value in os.environ.items() if not key.startswith("PREFECT_")}
    return {
        **inherited,
        "DO_NOT_TRACK": "1",
        "PREFECT_SERVER_ANALYTICS_ENABLED": "false",
        "PREFECT_HOME": str(home),
        **settings,
    }
