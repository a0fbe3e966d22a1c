"""What a match is, and how sure each way to it is."""

from dataclasses import dataclass
from typing import Literal

from storycanvas.catalog.civitai.version_files import VersionFile

Method = Literal["sha256", "blake3", "autov2", "autov3", "file_name", "normal_name", "suggestion"]
"""How a file was found, the surest way first (docs/catalog.md)."""

Quality = Literal["exact_hash", "high_confidence", "low_confidence"]
"""The words of `civitai_match_quality` that a program may write; `manual` is a person's."""

SCORES: dict[Method, float] = {
    "sha256": 1.0,
    "blake3": 1.0,
    "autov2": 1.0,
    "autov3": 1.0,
    "file_name": 0.95,
    "normal_name": 0.8,
}
"""The score of a link by each method; a suggestion has its own."""

QUALITIES: dict[Method, Quality] = {
    "sha256": "exact_hash",
    "blake3": "exact_hash",
    "autov2": "exact_hash",
    "autov3": "exact_hash",
    "file_name": "high_confidence",
    "normal_name": "low_confidence",
}

WORDS: dict[Method, str] = {
    "sha256": "SHA256",
    "blake3": "BLAKE3",
    "autov2": "AutoV2",
    "autov3": "AutoV3",
    "file_name": "file name",
    "normal_name": "normalised file name",
}
"""The methods as a sentence calls them."""

MAX_CANDIDATES = 10
"""Candidates that a match lists."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A file that a model may be.

    Attributes:
        file: The file of a version.
        score: From 0 to 1; files that share a hash or a name share its score, too.
        method: How it was found.
    """

    file: VersionFile
    score: float
    method: Method


@dataclass(frozen=True, slots=True)
class Match:
    """The outcome for a local model.

    Attributes:
        method: How the link was found; `suggestion` if there are only candidates; None without any.
        score: From 0 to 1, of the link or else of the best candidate; 0 without any.
        quality: How sure the link is; None without a link.
        chosen: The linked file; None without a link.
        candidates: The chosen one, files with its hash or name, then those with similar names; at
            most `MAX_CANDIDATES`.
        reason: Why it is linked or not, as a sentence.
    """

    method: Method | None
    score: float
    quality: Quality | None
    chosen: VersionFile | None
    candidates: tuple[Candidate, ...]
    reason: str
