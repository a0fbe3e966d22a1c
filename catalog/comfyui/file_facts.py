"""Sizes and times of files, which newer servers tell at `/experiment/models/{folder}`."""

import math
from collections.abc import Sequence
from urllib.parse import quote

from catalog.comfyui.folder_files import FileFacts
from catalog.comfyui.problems import Problems
from catalog.errors import CatalogError, CatalogUnreachable, NotThere
from catalog.json_client import JsonClient

_SIZES = range(2**63)
_LATEST = 253_402_300_800.0  # the end of the year 9999, the last one that dates know


class FactsReader:
    """Asks for the facts of one folder after another, until the server does not know them.

    Args:
        client: The server.
        problems: Takes what could not be read; models are never lost by it.
    """

    def __init__(self, client: JsonClient, problems: Problems) -> None:
        self._client = client
        self._problems = problems
        self._asks = True

    def of_folder(self, folder: str) -> dict[str, FileFacts]:
        """Read what the server tells of a folder's files, by name; empty if nothing."""
        if not self._asks:
            return {}
        try:
            rows = self._client.get(f"/experiment/models/{quote(folder, safe='')}")
        except NotThere:
            self._asks = False
            return {}
        except CatalogError as error:
            self._asks = not isinstance(error, CatalogUnreachable)
            self._problems.add(folder, f"Sizes are unknown. {error}")
            return {}
        if not isinstance(rows, list):
            self._problems.add(folder, "Sizes are unknown: the answer is no list.")
            return {}
        return read_facts(rows)


def read_facts(rows: Sequence[object]) -> dict[str, FileFacts]:
    """Read rows {name, pathIndex, modified, created, size}, whatever they hold.

    Args:
        rows: Of ComfyUI 0.3.60. A name in several places comes several times; the first one is
            what ComfyUI loads.
    """
    facts: dict[str, FileFacts] = {}
    for row in rows:
        if isinstance(row, dict) and isinstance(name := row.get("name"), str):
            facts.setdefault(name, FileFacts(_size(row.get("size")), _moment(row.get("modified"))))
    return facts


def _size(value: object) -> int | None:
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    if isinstance(value, bool) or not isinstance(value, int):
        return None
    return value if value in _SIZES else None


def _moment(value: object) -> float | None:
    if isinstance(value, bool) or not isinstance(value, int | float) or not 0 <= value < _LATEST:
        return None
    return float(value)
