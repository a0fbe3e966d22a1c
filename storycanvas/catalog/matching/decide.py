"""Decides which file of which version a local model is, by hashes and names (docs/catalog.md)."""

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
    conflicting_hash_kind,
    contradicts,
    has_hash,
    has_other_size,
    linked,
    of_several_sizes,
    torn,
    versions,
)
from storycanvas.catalog.matching.likeness import suggestions
from storycanvas.catalog.matching.local_models import LocalModel, known_hashes, names_decide
from storycanvas.catalog.matching.outcomes import (
    MAX_CANDIDATES,
    QUALITIES,
    SCORES,
    WORDS,
    Candidate,
    Match,
    Method,
)
from storycanvas.catalog.names import file_key, normal_name

_WHOLE: tuple[HashKind, ...] = ("SHA256", "BLAKE3")
"""Hashes of 64 digits: files with the same one have the same bytes, whatever their kind is."""


def match(
    local: LocalModel, candidates: Sequence[VersionFile], alike: Sequence[VersionFile] = ()
) -> Match:
    """Decide which file of which version a local model is; no link is better than a wrong one.

    The order is SHA256, BLAKE3, AutoV2, AutoV3, file name, normalised file name. The first one
    that finds something decides, also if what it finds is ambiguous. Similar names are
    suggestions only.

    Args:
        local: The model.
        candidates: Every file that has one of its `lookup_keys`, in any order.
        alike: Any other files, which are only suggested, never linked: a search finds some files of
            a name, not all.

    Returns:
        The link, or the candidates and why there is no link.
    """
    files = _once(candidates)
    finding = _finding(local, files)
    if finding and finding.chosen:
        return _linked(finding, finding.chosen)
    return _unlinked(local, _once([*files, *alike]), finding)


def _finding(local: LocalModel, files: Sequence[VersionFile]) -> Finding | None:
    known = known_hashes(local.hashes)
    kind = conflicting_hash_kind(known)
    if kind:
        return torn(kind, known, files)
    found = _match_by_hash(local, known, files) or _match_by_name(local, known, files)
    return of_several_sizes(found, len(local.sizes)) if found and len(local.sizes) > 1 else found


def _once(files: Sequence[VersionFile]) -> list[VersionFile]:
    unique = {
        (file.version_id, file.file_name, file.file_type, *sorted(file.hashes.items())): file
        for file in files
    }
    return list(unique.values())


def _linked(finding: Finding, chosen: VersionFile) -> Match:
    score = SCORES[finding.method]
    others = [Candidate(file, score, finding.method) for file in finding.files if file != chosen]
    listed = (Candidate(chosen, score, finding.method), *others)[:MAX_CANDIDATES]
    return Match(finding.method, score, QUALITIES[finding.method], chosen, listed, finding.reason)


def _unlinked(
    local: LocalModel, candidates: Sequence[VersionFile], finding: Finding | None
) -> Match:
    listed: list[Candidate] = []
    if finding:  # any of them may be the model, or none
        share = round(SCORES[finding.method] / (len(finding.files) + 1), 4)
        listed = [Candidate(file, share, finding.method) for file in finding.files]
    there = {candidate.file.version_id for candidate in listed}
    alike = suggestions(local, candidates)
    listed += [candidate for candidate in alike if candidate.file.version_id not in there]
    listed = listed[:MAX_CANDIDATES]
    return Match(
        method="suggestion" if listed else None,
        score=max((candidate.score for candidate in listed), default=0.0),
        quality=None,
        chosen=None,
        candidates=tuple(listed),
        reason=finding.reason if finding else _nothing(local, bool(listed)),
    )


def _nothing(local: LocalModel, alike: bool) -> str:
    if not names_decide(local):
        return f"No file has its hash, and {local.file_name!r} is too common a name to decide."
    if alike:
        return "No file has its hash or name; some have similar names."
    return "No file has its hash or name."


def _match_by_hash(
    local: LocalModel, known: Known, candidates: Sequence[VersionFile]
) -> Finding | None:
    """Look for files with a model's hashes, the surest hash first; return what the first one found.

    A file that shares a less sure hash but differs in a surer one is another file. AutoV2 and
    AutoV3 are short, so they link only if all files with them are of one version and of the model's
    kind.
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
            if kind in _WHOLE:
                return linked(METHODS[kind], files, files[0])
            return _of_short_hash(kind, local, files)
        surer = (*surer, kind)
    return None


def _of_short_hash(kind: HashKind, local: LocalModel, files: Sequence[VersionFile]) -> Finding:
    method = METHODS[kind]
    if len(versions(files)) > 1:
        return ambiguous(method, files, len(versions(files)))
    if files[0].kind != local.kind:
        reason = f"Its {WORDS[method]} is that of a file of kind {files[0].kind}, not {local.kind}."
        return Finding(method, files, None, reason)
    return linked(method, files, files[0])


def _match_by_name(
    local: LocalModel, known: Known, candidates: Sequence[VersionFile]
) -> Finding | None:
    """Look for files of a model's kind and name, the exact name first.

    A file with another hash or size is not linked. Returns None without a file of that name, or if
    the name is too common to decide.
    """
    if not names_decide(local):
        return None
    same_kind = [file for file in candidates if file.kind == local.kind]
    key = file_key(local.file_name)
    same = [file for file in same_kind if file_key(file.file_name) == key]
    if same:
        return _by_spelling("file_name", local, known, same)
    name = normal_name(local.file_name)
    alike = [file for file in same_kind if normal_name(file.file_name) == name]
    return _by_spelling("normal_name", local, known, alike) if alike else None


def _by_spelling(
    method: Method, local: LocalModel, known: Known, same: Sequence[VersionFile]
) -> Finding:
    files = best_first(local, same)
    if len(versions(files)) > 1:
        return ambiguous(method, files, len(versions(files)))
    namesakes = f"It has the {WORDS[method]} of {files[0].file_name} of {files[0].model_name}"
    possible = [file for file in files if not contradicts(file, known, LENGTHS)]
    if not possible:
        return Finding(method, files, None, f"{namesakes}, but another hash.")
    possible = [file for file in possible if not has_other_size(file, local)]
    if not possible:
        return Finding(method, files, None, f"{namesakes}, but another size.")
    return linked(method, files, possible[0])
