"""Linking by hashes and names (docs/catalog.md)."""

from collections.abc import Sequence

from storycanvas.catalog.civitai.version_files import VersionFile
from storycanvas.catalog.entries import HashKind
from storycanvas.catalog.hashes import LENGTHS
from storycanvas.catalog.matching.evidence import (
    METHODS,
    Finding,
    Known,
    ambiguous,
    best_first,
    contradicts,
    has_hash,
    linked,
    versions,
)
from storycanvas.catalog.matching.local_models import LocalModel, names_decide
from storycanvas.catalog.matching.outcomes import WORDS, Method
from storycanvas.catalog.names import file_key, normal_name


def match_by_name(
    local: LocalModel, known: Known, candidates: Sequence[VersionFile]
) -> Finding | None:
    """Look for files of a model's kind and name, the exact name first.

    Args:
        local: The model.
        known: Its hashes; a file that has another one is not linked.
        candidates: The files.

    Returns:
        What the first spelling found; None without a file of that name, or if the name says
        nothing.
    """
    if not names_decide(local):
        return None
    kin = [file for file in candidates if file.kind == local.kind]
    key = file_key(local.file_name)
    same = [file for file in kin if file_key(file.file_name) == key]
    if same:
        return _found("file_name", local, known, same)
    name = normal_name(local.file_name)
    alike = [file for file in kin if normal_name(file.file_name) == name]
    return _found("normal_name", local, known, alike) if alike else None


def _found(method: Method, local: LocalModel, known: Known, same: Sequence[VersionFile]) -> Finding:
    files = best_first(local, same)
    if len(versions(files)) > 1:
        return ambiguous(method, files, len(versions(files)))
    possible = [file for file in files if not contradicts(file, known, LENGTHS)]
    if not possible:
        other = f"{files[0].file_name} of {files[0].model_name}"
        reason = f"It has the {WORDS[method]} of {other}, but another hash."
        return Finding(method, files, None, reason)
    return linked(method, files, possible[0])


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
