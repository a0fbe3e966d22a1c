"""Running one flow in this process, with its parameters from the command line."""

import importlib
import inspect
import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, get_type_hints

from prefect import Flow
from prefect.client.schemas.objects import State
from pydantic import TypeAdapter, ValidationError

import flows
from blocks.configured import image_store_url
from blocks.environment import Environment
from storycanvas.faces.pictures.image_store import local_folder
from storycanvas.faces.reports.steps import FaceRunReport
from tasks.faces.plan import describe

NO_FLOWS = {"__init__", "parameters"}
USAGE_ERROR = 2


class UsageError(Exception):
    """The words of the command line name no flow, or no parameter of it."""


def run_flow(words: Sequence[str]) -> int:
    """Run the flow that the first word names with the parameters that follow, and print its report.

    Args:
        words: A flow's name, then `--name value`, `--name=value`, `--flag`, `--no-flag`,
            `--json '{...}'` or `--help`.

    Returns:
        0; 1 if the run fails; 2 if a word is wrong.
    """
    try:
        if not words or words[0] in {"--help", "-h"}:
            print("Usage: storycanvas run FLOW [--name value ...] [--json '{...}']\n\nFlows:")
            print("\n".join(f"  {name}" for name in flow_names()))
            return 0
        flow = load_flow(words[0])
        if {"--help", "-h"} & set(words[1:]):
            print(describe_flow(words[0], flow))
            return 0
        parameters = read_parameters(flow, words[1:])
    except UsageError as error:
        print(error, file=sys.stderr)
        return USAGE_ERROR
    state: State[Any] = flow(**parameters, return_state=True)  # type: ignore[assignment]
    return _finish(state)


def flow_names() -> list[str]:
    """List the names of all flows; a flow's file has its name."""
    files = Path(flows.__path__[0]).glob("*.py")
    return sorted(file.stem.replace("_", "-") for file in files if file.stem not in NO_FLOWS)


def load_flow(name: str) -> Flow[..., Any]:
    """Import a flow by its name; `UsageError` if there is none."""
    if name.replace("_", "-") not in flow_names():
        raise UsageError(f"There is no flow {name!r}; the flows are: {', '.join(flow_names())}.")
    stem = name.replace("-", "_")
    found: Flow[..., Any] = getattr(importlib.import_module(f"flows.{stem}"), stem)
    return found


def describe_flow(name: str, flow: Flow[..., Any]) -> str:
    """Write a flow's own description with the words that set its parameters."""
    words = []
    for parameter in inspect.signature(flow.fn).parameters.values():
        option = f"--{parameter.name.replace('_', '-')}"
        required = parameter.default is parameter.empty
        words.append(f"{option} VALUE" if required else f"[{option} {_shown(parameter.default)}]")
    return f"Usage: storycanvas run {name} {' '.join(words)}\n\n{inspect.getdoc(flow.fn)}"


def read_parameters(flow: Flow[..., Any], words: Sequence[str]) -> dict[str, Any]:
    """Read a flow's parameters; a later word wins, and a repeated one makes a list."""
    types = get_type_hints(flow.fn, include_extras=True)
    types.pop("return", None)
    parameters: dict[str, Any] = {}
    texts: dict[str, list[str]] = {}
    for name, text in _named(words, types):
        if name == "json":
            parameters |= _json_object(text)
        else:
            texts.setdefault(name, []).append(text)
    unknown = [name for name in [*parameters, *texts] if name not in types]
    if unknown:
        raise UsageError(f"{flow.name} has no parameter {unknown[0]!r}; it has {', '.join(types)}.")
    parameters |= {
        name: _value(name, TypeAdapter(types[name]), given) for name, given in texts.items()
    }
    for parameter in inspect.signature(flow.fn).parameters.values():
        if parameter.default is parameter.empty and parameter.name not in parameters:
            raise UsageError(f"{flow.name} needs --{parameter.name.replace('_', '-')}.")
    return parameters


def _named(words: Sequence[str], types: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    rest = list(words)
    while rest:
        word = rest.pop(0)
        if not word.startswith("--"):
            raise UsageError(f"{word!r} is no parameter; write --name value.")
        name, equals, text = word.removeprefix("--").partition("=")
        name = name.replace("-", "_")
        if equals:
            yield name, text
        elif name.startswith("no_") and types.get(name.removeprefix("no_")) is bool:
            yield name.removeprefix("no_"), "false"
        elif types.get(name) is bool and (not rest or rest[0].startswith("--")):
            yield name, "true"
        elif rest:
            yield name, rest.pop(0)
        else:
            raise UsageError(f"{word} has no value.")


def _json_object(text: str) -> dict[str, Any]:
    try:
        found = json.loads(text)
    except ValueError as error:
        raise UsageError(f"--json cannot be read: {error}.") from None
    if not isinstance(found, dict):
        raise UsageError("--json needs an object, such as '{\"force\": true}'.")
    return found


def _value(name: str, adapter: TypeAdapter[Any], given: list[str]) -> object:
    """Read one parameter: as plain text where that fits, else as JSON, else as a list of one text.

    Text first keeps an id of digits a text; JSON gives lists and null.
    """
    if len(given) > 1:
        return [_plain(text) for text in given]
    (text,) = given
    readings: list[Callable[[], object]] = [
        lambda: adapter.validate_strings(text),
        lambda: adapter.validate_json(text),
        lambda: adapter.validate_python([text]),
    ]
    reasons: list[str] = []
    for read in readings:
        try:
            return read()
        except ValidationError as refused:
            reason = refused.errors(include_url=False, include_input=False)[0]["msg"]
            reasons.append(reason.removeprefix("Value error, "))
    raise UsageError(f"--{name.replace('_', '-')} {text!r}: {reasons[0]}.")


def _plain(text: str) -> object:
    try:
        return json.loads(text)
    except ValueError:
        return text


def _shown(default: object) -> str:
    return json.dumps(getattr(default, "value", default))


def show_face_report(report: FaceRunReport) -> None:
    """Print a report: one line a step, then where the contact sheet lies."""
    print(f"\n{report.flow} of {report.character_id or 'no character'}, engine {report.engine}")
    if report.base_age is not None:
        print(f"  base age {report.base_age}, estimated {report.estimated_age}")
    for warning in report.warnings:
        print(f"  warning: {warning}")
    for note in report.notes:
        print(f"  note: {note}")
    for step in report.steps:
        print(f"  {describe(step)}")
    print(f"  contact sheet: {_sheet_on_disk(report)}")


def _sheet_on_disk(report: FaceRunReport) -> str:
    """Show where the sheet lies: its address may be one of a server that ends with this command."""
    folder = local_folder(image_store_url(Environment()))
    file = folder / report.contact_sheet_path if folder and report.contact_sheet_path else None
    if file is None or not file.is_file():
        return report.contact_sheet or ""
    here = Path.cwd()
    return str(file.relative_to(here) if file.is_relative_to(here) else file)


def _finish(state: State[Any]) -> int:
    result = state.result(raise_on_failure=False)
    report = getattr(result, "report", result)
    if isinstance(report, FaceRunReport):
        show_face_report(report)
    elif callable(summary := getattr(report, "summary", None)):
        print(summary())
    if state.is_completed():
        return 0
    print(state.message or state.name, file=sys.stderr)
    return 1
