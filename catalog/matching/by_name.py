"""Linking by file names, which is done only where nothing speaks against it."""

from collections.abc import Sequence

from catalog.civitai.version_files import VersionFile
from catalog.hashes import LENGTHS
from catalog.matching.evidence import Known, best_first, contradicts, versions
from catalog.matching.findings import Finding, ambiguous, linked
from catalog.matching.local_models import LocalModel, names_decide
from catalog.matching.outcomes import WORDS, Method
from catalog.names import file_key, normal_name


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
