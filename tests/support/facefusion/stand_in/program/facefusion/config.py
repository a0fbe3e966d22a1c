"""Defaults that the operator sets in facefusion.ini."""

from configparser import ConfigParser
from functools import lru_cache
from typing import Any

from facefusion import state_manager

CASTS: dict[str, Any] = {"int": int, "float": float, "str": str}


@lru_cache
def get_static_config_parser() -> ConfigParser:
    """Read the file that `--config-path` named first; a missing file is an empty one."""
    parser = ConfigParser()
    parser.read(state_manager.get_item("config_path"), encoding="utf-8")
    return parser


def set_by_operator(group: str, option: dict[str, Any]) -> Any:  # noqa: ANN401 - any default
    """Return the default from the file, or None when its key is empty or missing."""
    section = group.replace(" ", "_")
    text = get_static_config_parser().get(section, option["dest"], fallback="").strip()
    if not text:
        return None
    cast = CASTS[option["type"]]
    return [cast(part) for part in text.split()] if option["nargs"] else cast(text)
