"""On which device FaceFusion computes, from the operator's own `facefusion.ini`."""

import configparser
from collections.abc import Mapping
from pathlib import Path

from storycanvas.host.engines.facefusion.process.installation import (
    Installation,
    InstallationUnusable,
)
from storycanvas.host.engines.facefusion.translation.providers import PROVIDERS

INI = "facefusion.ini"
SECTION = "execution"
PROVIDERS_KEY = "execution_providers"
DEVICE_KEY = "execution_device_ids"
_KEYS = (PROVIDERS_KEY, DEVICE_KEY, "execution_thread_count")
_NUMBERS = {DEVICE_KEY, "execution_thread_count"}


def execution_options(installation: Installation) -> tuple[str, ...]:
    """Read the options of execution, such as `--execution-providers cuda cpu`.

    The file is read as FaceFusion 3.8.1 reads it (`config.py`): blanks divide values, and an empty
    key stands for FaceFusion's own default.

    Raises:
        InstallationUnusable: The file cannot be read, or holds a value that FaceFusion refuses.
    """
    return tuple(
        text
        for key, values in execution_values(installation.home).items()
        for text in (f"--{key.replace('_', '-')}", *values)
    )


def execution_values(home: Path) -> Mapping[str, tuple[str, ...]]:
    """Read the keys with values from the section `[execution]` of a checkout's ini file."""
    path = home / INI
    parser = configparser.ConfigParser()
    try:
        parser.read(path, encoding="utf-8")  # a file that is not there is an empty one
        given = {key: parser.get(SECTION, key, fallback="").split() for key in _KEYS}
    except (OSError, UnicodeError, configparser.Error) as error:
        reason = str(error).replace("\n", " ")
        raise InstallationUnusable(f"{path} cannot be read ({reason}): correct it.") from error
    for key, values in given.items():
        _check(f"{key} in {path}", values, numbers=key in _NUMBERS)
    return {key: tuple(values) for key, values in given.items() if values}


def _check(name: str, values: list[str], *, numbers: bool) -> None:
    for value in values:
        if numbers and not (value.isascii() and value.isdecimal()):
            raise InstallationUnusable(f"{name} is {value}: write whole numbers, or nothing.")
        if not numbers and value not in PROVIDERS:
            raise InstallationUnusable(
                f"{name} is {value}: write some of {', '.join(PROVIDERS)}, or nothing."
            )
