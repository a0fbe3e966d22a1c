"""Linking by hashes (reference section 4.3)."""

from collections.abc import Sequence

from catalog.civitai.version_files import VersionFile
from catalog.entries import HashKind
from catalog.matching.evidence import Known, best_first, contradicts, has_hash, versions
from catalog.matching.findings import METHODS, Finding, ambiguous, linked
from catalog.matching.local_models import LocalModel
from catalog.matching.outcomes import WORDS

_WHOLE: tuple[HashKind, ...] = ("SHA256", "BLAKE3")
"""Hashes of 64 digits: who has the same has the same bytes, whatever their kind is."""


def match_by_hash(
    local: LocalModel, known: Known, candidates: Sequence[VersionFile]
) -> Finding | None:
    """Look for files with a model's hashes, the surest hash first.

    A file that shares a less sure hash but differs in a surer one is another file. AutoV2 and
    AutoV3 are short, so they link only if all who have them are one version and of the model's
    kind.

    Args:
        local: The model.
        known: Its hashes, one of a kind.
        candidates: The files.

    Returns:
        What the first hash found that any file has; None if none has any.
    """
    surer: tuple[HashKind, ...] = ()
    for kind in METHODS:
        hits = [
            file
            for file in candidates
            if has_hash(file, kind, known) and not contradicts(file, known, surer)
        ]
        if hits:
            files = best_first(local, hits)
            return _whole(kind, files) if kind in _WHOLE else _short(kind, local, files)
        surer = (*surer, kind)
    return None


def _whole(kind: HashKind, files: Sequence[VersionFile]) -> Finding:
    return linked(METHODS[kind], files, files[0])


def _short(kind: HashKind, local: LocalModel, files: Sequence[VersionFile]) -> Finding:
    method = METHODS[kind]
    if len(versions(files)) > 1:
        return ambiguous(method, files, len(versions(files)))
    if files[0].kind != local.kind:
        reason = f"Its {WORDS[method]} is that of a file of kind {files[0].kind}, not {local.kind}."
        return Finding(method, files, None, reason)
    return linked(method, files, files[0])
