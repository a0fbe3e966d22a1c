"""A flow is a plain function: without a server, a variable or a block it runs and cleans up."""

import os
import shutil
import subprocess
import sys
from pathlib import Path

import psutil

from tests.support.paths import ROOT

CALL = """
from flows.age_progression import age_progression
from blocks.configured import story_database
from blocks.environment import Environment
from deployments.sample import add_sample_character

character = add_sample_character(story_database(Environment()).connect())
print(age_progression(character, ages=[45]).summary())
"""
CONFIGURING = ("MONGO", "DB_NAME", "FACEFUSION", "IMAGE", "STORYCANVAS", "PREFECT")


def bare_environment(home: Path) -> dict[str, str]:
    kept = {name: value for name, value in os.environ.items() if not name.startswith(CONFIGURING)}
    return {**kept, "PYTHONPATH": str(ROOT), "PREFECT_HOME": str(home)}


def living_in(folder: Path) -> list[str]:
    return [
        process.info["name"]
        for process in psutil.process_iter(["name", "cmdline"])
        if str(folder) in " ".join(process.info["cmdline"] or ())
    ]


def test_a_plain_call_needs_nothing_and_leaves_no_process(
    tmp_path: Path, prefect_database: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    shutil.copy(prefect_database, home / "prefect.db")

    ended = subprocess.run(
        [sys.executable, "-c", CALL],
        cwd=tmp_path,
        env=bare_environment(home),
        capture_output=True,
        text=True,
        check=False,
    )

    assert ended.returncode == 0, ended.stderr
    assert "2 steps: 2 done." in ended.stdout
    assert (tmp_path / ".storycanvas" / "images" / "local" / "result").is_dir()
    assert living_in(tmp_path) == []
