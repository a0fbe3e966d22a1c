"""The hashes of local models that Civitai can be asked for."""

from collections.abc import Iterable, Mapping
from typing import cast

from catalog.entries import HashKind
from catalog.matching.local_models import known_hashes
from db.catalog.local_models import StoredLocalModel

_SUREST_FIRST: tuple[HashKind, ...] = ("SHA256", "BLAKE3", "AutoV3")


def hashes_to_ask_for(models: Iterable[StoredLocalModel]) -> dict[HashKind, set[str]]:
    """Take each model's surest hash, in one spelling.

    What a person has linked needs no asking.

    Args:
        models: As the servers tell of them.

    Returns:
        By kind; AutoV2 is left out, for nothing tells it without a SHA-256.
    """
    wanted: dict[HashKind, set[str]] = {kind: set() for kind in _SUREST_FIRST}
    for model in models:
        if model.is_confirmed:
            continue
        known = known_hashes(cast("Mapping[HashKind, frozenset[str]]", model.hashes))
        kind = next((kind for kind in _SUREST_FIRST if known[kind]), None)
        if kind is not None:
            wanted[kind] |= known[kind]
    return wanted
