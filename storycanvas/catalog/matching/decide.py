"""Which file of which version a local model is."""

from collections.abc import Sequence

from storycanvas.catalog.civitai.version_files import VersionFile
from storycanvas.catalog.matching.evidence import (
    Finding,
    conflicting_hash_kind,
    of_several_sizes,
    torn,
)
from storycanvas.catalog.matching.likeness import suggestions
from storycanvas.catalog.matching.links import match_by_hash, match_by_name
from storycanvas.catalog.matching.local_models import LocalModel, known_hashes, names_decide
from storycanvas.catalog.matching.outcomes import (
    MAX_CANDIDATES,
    QUALITIES,
    SCORES,
    Candidate,
    Match,
)


def match(
    local: LocalModel, candidates: Sequence[VersionFile], alike: Sequence[VersionFile] = ()
) -> Match:
    """Decide which file of which version a local model is; no link is better than a wrong one.

    The order is SHA256, BLAKE3, AutoV2, AutoV3, file name, normalised file name. The first one
    that finds something decides, also if what it finds is ambiguous. Names that are alike are
    suggestions only.

    Args:
        local: The model.
        candidates: Every file that has one of its `lookup_keys`; their order does not matter.
        alike: Any other files, only to suggest; they are linked in no case, since a search finds
            some files of a name and not all.

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
    found = match_by_hash(local, known, files) or match_by_name(local, known, files)
    return of_several_sizes(found, len(local.sizes)) if found and len(local.sizes) > 1 else found


def _once(files: Sequence[VersionFile]) -> list[VersionFile]:
    seen = {
        (file.version_id, file.file_name, file.file_type, *sorted(file.hashes.items())): file
        for file in files
    }
    return list(seen.values())


def _linked(finding: Finding, chosen: VersionFile) -> Match:
    score = SCORES[finding.method]
    others = [Candidate(file, score, finding.method) for file in finding.files if file != chosen]
    listed = (Candidate(chosen, score, finding.method), *others)[:MAX_CANDIDATES]
    return Match(finding.method, score, QUALITIES[finding.method], chosen, listed, finding.reason)


def _unlinked(
    local: LocalModel, candidates: Sequence[VersionFile], finding: Finding | None
) -> Match:
    listed: list[Candidate] = []
    if finding:  # each of them may be it, and so may none
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
        return f"No file has its hash, and {local.file_name!r} is no name to tell a model by."
    if alike:
        return "No file has its hash or name; some have similar names."
    return "No file has its hash or name."
