"""The similarity of two names, for suggestions that a person decides on."""

from collections import Counter
from collections.abc import Iterable
from difflib import SequenceMatcher

from storycanvas.catalog.civitai.version_files import VersionFile
from storycanvas.catalog.matching.local_models import LocalModel
from storycanvas.catalog.matching.outcomes import MAX_CANDIDATES, Candidate
from storycanvas.catalog.names import normal_name

LEAST_LIKENESS = 0.5
"""Likeness above which a file is suggested."""

FEWEST_SHARED = 4
"""Characters that names must share as whole words, for their words to count."""

MAX_NAME_LENGTH = 200
"""Characters that are compared; the time for that grows with their square."""


class Likeness:
    """The similarity of names to a name; all are normalised (`storycanvas.catalog.names`)."""

    def __init__(self, name: str) -> None:
        self._words = Counter(name[:MAX_NAME_LENGTH].split())
        self._characters = SequenceMatcher(None, "", name[:MAX_NAME_LENGTH], autojunk=False)

    def to(self, other: str) -> float:
        """Compare with another name, from 0 to 1: by characters or by words, the higher."""
        if not other or not self._words:
            return 0.0
        best = _words_alike(self._words, Counter(other[:MAX_NAME_LENGTH].split()))
        self._characters.set_seq1(other[:MAX_NAME_LENGTH])
        least = max(best, LEAST_LIKENESS)
        bounds = self._characters.real_quick_ratio, self._characters.quick_ratio
        if all(bound() > least for bound in bounds):  # the exact ratio takes ten times as long
            return max(best, self._characters.ratio())
        return best


def suggestions(local: LocalModel, files: Iterable[VersionFile]) -> list[Candidate]:
    """Rank files of a model's kind by their names.

    Returns:
        At most `MAX_CANDIDATES` above `LEAST_LIKENESS`, each of another version, the best first.
    """
    name = Likeness(normal_name(local.file_name))
    best: dict[int, Candidate] = {}
    for file in files:
        if file.kind != local.kind or local.kind == "other":
            continue
        score = round(max(map(name.to, _names(file))), 4)
        candidate = Candidate(file, score, "suggestion")
        before = best.get(file.version_id)
        if score > LEAST_LIKENESS and (before is None or _rank(candidate) < _rank(before)):
            best[file.version_id] = candidate
    return sorted(best.values(), key=_rank)[:MAX_CANDIDATES]


def _names(file: VersionFile) -> set[str]:
    item, version = (text.replace("/", " ") for text in (file.model_name, file.version_name))
    return {normal_name(text) for text in (file.file_name, item, f"{item} {version}")}


def _rank(candidate: Candidate) -> tuple[float, int, str]:
    return -candidate.score, candidate.file.version_id, candidate.file.file_name


def _words_alike(mine: Counter[str], theirs: Counter[str]) -> float:
    shared = _characters(mine & theirs)
    if shared < FEWEST_SHARED:
        return 0.0
    sizes = _characters(mine), _characters(theirs)
    return (shared / min(sizes) + 2 * shared / sum(sizes)) / 2


def _characters(words: Counter[str]) -> int:
    return sum(len(word) * count for word, count in words.items())
