"""Hashes of model files in one spelling (reference sections 4.2 and 4.3)."""

import re
from collections.abc import Mapping

from catalog.entries import HashKind

LENGTHS: dict[HashKind, int] = {"SHA256": 64, "BLAKE3": 64, "AutoV3": 12, "AutoV2": 10}
"""Hexadecimal digits of each kind, the surest kind first."""

_OF_NOTHING = (
    "E3B0C44298FC1C149AFBF4C8996FB92427AE41E4649B934CA495991B7852B855",  # SHA-256
    "AF1349B9F5F9A1A6A0404DEA36DCC9499BCB25C9ADC112B7CC9A93CAE41F3262",  # BLAKE3
)
"""Hashes of empty input, which some trainers write; they name no file."""

_HEX = re.compile(r"[0-9A-F]+")


def normal_hash(kind: HashKind, value: object) -> str | None:
    """Bring a hash into upper case without `0x`, `blake3:` and the like.

    Args:
        kind: Which hash it is.
        value: What was found; may be anything.

    Returns:
        As many hexadecimal digits as the kind has; None if it is no such hash, or one of nothing.
    """
    if not isinstance(value, str):
        return None
    digits = value.strip().rpartition(":")[2].upper().removeprefix("0X")
    if len(digits) != LENGTHS[kind] or not _HEX.fullmatch(digits):
        return None
    if any(nothing.startswith(digits) for nothing in _OF_NOTHING) or not digits.strip("0"):
        return None
    return digits


def hashes_from_metadata(metadata: Mapping[str, str]) -> dict[HashKind, str]:
    """Take what a trainer wrote about a file: `sshs_model_hash` begins with its AutoV3.

    Args:
        metadata: The `__metadata__` of a safetensors file.
    """
    whole = normal_hash("SHA256", metadata.get("sshs_model_hash"))
    return {"AutoV3": whole[: LENGTHS["AutoV3"]]} if whole else {}


def with_auto_v2(hashes: Mapping[HashKind, str]) -> dict[HashKind, str]:
    """Add the AutoV2 that a SHA-256 begins with."""
    sha256 = hashes.get("SHA256")
    return {**hashes, "AutoV2": sha256[: LENGTHS["AutoV2"]]} if sha256 else dict(hashes)
