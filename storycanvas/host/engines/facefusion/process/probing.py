"""What FaceFusion computes on: asked of a session in its Python, before FaceFusion is started."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path

from pydantic import BaseModel, ConfigDict, ValidationError

from storycanvas.host.engines.facefusion.process.commands import run_short_command
from storycanvas.host.engines.facefusion.process.environment import facefusion_environment
from storycanvas.host.engines.facefusion.translation.providers import PROVIDERS

PROBE = Path(__file__).parents[1] / "drivers" / "session_probe.py"
PROBE_SECONDS = 120.0
"""Loading onnxruntime with its GPU libraries for the first time takes many seconds, and TensorRT
builds the model of one node."""
_MAX_LINE_LENGTH = 240


class ProbeConfig(BaseModel):
    """What a session is asked for, as `session_probe.py` reads it."""

    model_config = ConfigDict(frozen=True)

    table: tuple[tuple[str, str], ...] = tuple(PROVIDERS.items())
    asked: tuple[str, ...] = ()
    device: str = "0"


class ProbeAnswer(BaseModel):
    """What a session of one node has, by FaceFusion's names.

    Attributes:
        offered: What onnxruntime was built with, in FaceFusion's order.
        asked: What the session was made for: the operator's choice, or the first that is offered.
        session: What it computes on, preferred first.
        trouble: Why there is no session; empty if there is one.
    """

    model_config = ConfigDict(frozen=True)

    offered: tuple[str, ...] = ()
    asked: tuple[str, ...] = ()
    session: tuple[str, ...] = ()
    trouble: str = ""

    @property
    def used(self) -> tuple[str, ...]:
        """The provider that the session prefers, none without a session."""
        return self.session[:1]


def probe_sessions(
    python: Path, home: Path, environment: Mapping[str, str], config: ProbeConfig
) -> ProbeAnswer:
    """Make a session of one node in FaceFusion's Python, in a process of its own.

    What onnxruntime logs on the way, such as a library that is missing, becomes the trouble where
    the session has another provider than the one it was asked for.
    """
    command = [str(python), str(PROBE), config.model_dump_json()]
    chosen = facefusion_environment(environment, downloads=False)
    try:
        ended = run_short_command(command, home, chosen, PROBE_SECONDS)
    except OSError as error:  # TimeoutError is one
        return ProbeAnswer(trouble=str(error))
    try:
        answer = ProbeAnswer.model_validate(json.loads(_last(ended.output)))
    except (ValueError, ValidationError):
        return ProbeAnswer(trouble=f"onnxruntime cannot be loaded ({_last(ended.errors)})")
    if answer.asked[:1] != answer.used and not answer.trouble:
        return answer.model_copy(update={"trouble": _reason(ended.errors.splitlines())})
    return answer


def _last(text: str) -> str:
    return (text.strip().splitlines() or ["no message"])[-1][:_MAX_LINE_LENGTH]


def _reason(lines: Sequence[str]) -> str:
    """Find the line of onnxruntime's log that names what it lacks, without the place in its code.

    The library is at the end: `… cuda.so with error: libcublasLt.so.13: cannot open …` (1.28).
    """
    failures = [line.strip() for line in lines if "ailed to" in line or "rror" in line]
    if not failures:
        return ""
    start = max(failures[0].find("Failed to"), 0)
    return failures[0][start:][-_MAX_LINE_LENGTH:]
