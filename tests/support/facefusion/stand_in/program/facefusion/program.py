"""The command line, built from the contract file and, for two options, from `sys.argv`."""

import tempfile
from argparse import Action, ArgumentParser
from functools import partial
from typing import Any

from facefusion import config, contract, execution, metadata, state_manager
from facefusion.filesystem import list_names
from facefusion.program_helper import Program

TYPES: dict[str, Any] = {"int": int, "float": float, "str": str}


def create_program() -> ArgumentParser:
    """Build the parser of every command; only `headless-run` has options.

    Raises:
        SystemExit: With 2, already while it is built, where an option is refused that stands
            before one whose choices depend on a model.
    """
    apply_config_path()
    parents = [create_group(*group) for group in contract.groups().items()]
    program = Program()
    named = f"{metadata.get('name')} {metadata.get('version')}"
    program.add_argument("-v", "--version", version=named, action="version")
    commands = program.add_subparsers(dest="command")
    for command in contract.read()["commands"]:
        wanted = parents if command == "headless-run" else []
        commands.add_parser(command, parents=wanted)
    for parent in parents:
        program.remember(parent.options)
    return program


def apply_config_path() -> None:
    """Find `--config-path` before all other options, because they take defaults from it."""
    program = Program(add_help=False)
    program.add_argument("--config-path", default="facefusion.ini")
    known, _ = program.parse_known_args()
    state_manager.init_item("config_path", known.config_path)


def create_group(title: str, options: list[dict[str, Any]]) -> Program:
    """Build a parser with one group of options."""
    program = Program(add_help=False)
    group = program.add_argument_group(title)
    for option in options:
        settings = settings_of(title, option, choices_of(program, option))
        added: Action = group.add_argument(*option["flags"], **settings)
        program.remember([added])
    return program


def choices_of(program: Program, option: dict[str, Any]) -> list[Any] | None:
    """Return the choices of an option, some of which depend on what `sys.argv` says so far."""
    depends = contract.sizes_of_model(option["dest"])
    if depends is not None:
        known, _ = program.parse_known_args()
        sizes: list[Any] = depends["by_model"][getattr(known, depends["depends_on"])]
        return sizes
    if option["dest"] == "processors":
        return list_names("facefusion/processors/modules")
    if option["dest"] == "execution_providers":
        return execution.get_available_execution_providers()
    return contract.grid(option.get("choices"))


def settings_of(title: str, option: dict[str, Any], choices: list[Any] | None) -> dict[str, Any]:
    """Return the keyword arguments of `add_argument`."""
    default = config.set_by_operator(title, option)
    if default is None:
        default = default_of(option, choices)
    settings = {"default": default, "nargs": option["nargs"], "type": TYPES[option["type"]]}
    if option.get("choices_enforced", True):
        return {**settings, "choices": choices, "metavar": metavar_of(option)}
    return {**settings, "type": partial(or_minimum, choices or [0])}


def metavar_of(option: dict[str, Any]) -> str | None:
    """Shorten long lists of numbers to their range."""
    choices = option.get("choices")
    if isinstance(choices, dict) and "step" in choices:
        return f"[{choices['min']}..{choices['max']}:{choices['step']}]"
    return str(option["dest"]).upper() if option["nargs"] else None


def default_of(option: dict[str, Any], choices: list[Any] | None) -> Any:  # noqa: ANN401 - any
    """Return the built-in default."""
    if option["dest"] == "temp_path":
        return tempfile.gettempdir()
    if option["dest"] == "execution_providers" and choices:
        return choices[:1]
    depends = contract.sizes_of_model(option["dest"])
    if depends is not None and choices:
        return choices[-1 if depends["default"].startswith("last") else 0]
    return None if isinstance(option["default"], dict) else option["default"]


def or_minimum(allowed: list[int], text: str) -> int:
    """Read a number; silently the minimum when it is none, or out of range."""
    digits = text.strip().removeprefix("-")
    value = int(text) if digits.isdecimal() else allowed[0]
    return value if value in allowed else allowed[0]
