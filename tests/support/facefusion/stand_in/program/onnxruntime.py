"""What a session has, as the file HOME/onnxruntime.json says: no network runs here.

The file holds `built`, the providers that the wheel was built with, `works`, those whose libraries
load on this machine, and `works_small`, those that load for a model of one node, which is given as
bytes. Without it there is the CPU alone.
"""

import json
import sys
from pathlib import Path
from typing import Any

FILE = Path(__file__).with_name("onnxruntime.json")
CPU = "CPUExecutionProvider"


def told() -> dict[str, list[str]]:
    """Read the file."""
    return json.loads(FILE.read_text()) if FILE.exists() else {"built": [CPU], "works": [CPU]}


def get_available_providers() -> list[str]:
    """Return what the wheel was built with, as onnxruntime does: it tries nothing."""
    return told()["built"]


class InferenceSession:
    """A session: where a provider cannot be used it falls back to the CPU in silence."""

    def __init__(self, model: Any, providers: list[Any]) -> None:  # noqa: ANN401 - path or bytes
        wanted = [provider if isinstance(provider, str) else provider[0] for provider in providers]
        works = told().get("works_small" if isinstance(model, bytes) else "works", told()["works"])
        for name in wanted:
            if name in told()["built"] and name not in works:
                sys.stderr.write(f"[E:onnxruntime] Failed to load library of {name}: lib.so.12\n")
        usable = [name for name in wanted if name in told()["built"] and name in works]
        self._providers = list(dict.fromkeys([*usable, CPU]))

    def get_providers(self) -> list[str]:
        """Return what it has, preferred first."""
        return self._providers
