"""Matching one batch of local models against what the catalog has for it."""

from collections.abc import Mapping, Sequence
from typing import Any, cast

from pymongo.database import Database

from catalog.civitai.version_files import VersionFile, version_files
from catalog.entries import HashKind
from catalog.kinds import LocalType
from catalog.matching.candidate_index import CandidateIndex
from catalog.matching.decide import match
from catalog.matching.local_models import LocalModel, LookupKeys, lookup_keys
from catalog.matching.outcomes import Candidate, Match
from db.catalog.candidates import CandidateKeys, find_candidates, find_suggestions
from db.catalog.local_models import StoredLocalModel
from db.catalog.match_row import MatchLink, MatchRow
from db.connection import Document


def match_batch(
    database: Database[Document], models: Sequence[StoredLocalModel], searches: int
) -> list[MatchRow]:
    """Match models.

    Args:
        database: Where the catalog is.
        models: At most a few thousand.
        searches: For how many models without a link the catalog's texts may be searched.

    Returns:
        What was found of each, in their order.

    Raises:
        db.errors.DatabaseError: MongoDB cannot be reached, or refuses the user.
    """
    locals_ = [_local(model) for model in models]
    items = {item["id"]: item for item in find_candidates(database, _keys(locals_))}
    index = CandidateIndex(file for item in items.values() for file in version_files(item))
    rows = []
    for stored, local in zip(models, locals_, strict=True):
        own, near = index.for_local(local), index.near(local)
        found = match(local, own, near)
        if found.chosen is None and searches > 0 and not stored.is_confirmed:
            searches -= 1
            alike = find_suggestions(database, local.file_name.rpartition(".")[0])
            more = [file for item in alike for file in version_files(item)]
            found = match(local, own, [*near, *more])
        rows.append(_row(stored, found, items))
    return rows


def _local(stored: StoredLocalModel) -> LocalModel:
    return LocalModel(
        model_id=stored.model_id,
        kind=cast("LocalType", stored.model_type),
        file_name=stored.file_name,
        hashes=cast("Mapping[HashKind, frozenset[str]]", stored.hashes),
        sizes=stored.sizes,
    )


def _keys(models: Sequence[LocalModel]) -> CandidateKeys:
    keys: list[LookupKeys] = [lookup_keys(model) for model in models]
    return CandidateKeys(
        sha256={digits for one in keys for digits in one.sha256},
        blake3={digits for one in keys for digits in one.blake3},
        autov2={digits for one in keys for digits in one.autov2},
        autov3={digits for one in keys for digits in one.autov3},
        file_keys={one.file_key for one in keys if one.file_key},
        name_keys={one.name_key for one in keys if one.name_key},
    )


def _row(stored: StoredLocalModel, found: Match, items: Mapping[int, Document]) -> MatchRow:
    return MatchRow(
        model_id=stored.model_id,
        file_name=stored.file_name,
        model_type=stored.model_type,
        link=_link(found, found.chosen, items) if found.chosen else None,
        reason=None if found.chosen else found.reason,
        candidates=tuple(_candidate(one) for one in found.candidates),
        server=stored.servers[0] if stored.servers else None,
    )


def _link(found: Match, chosen: VersionFile, items: Mapping[int, Document]) -> MatchLink | None:
    if found.quality is None or found.method is None:
        return None
    return MatchLink(
        civitai_id=chosen.model_id,
        name=chosen.model_name,
        version_id=chosen.version_id,
        version_name=chosen.version_name,
        quality=found.quality,
        method=found.method,
        score=found.score,
        base_model=chosen.base_model,
        description=_text(items.get(chosen.model_id, {}).get("description")),
        tags=chosen.tags,
        trained_words=chosen.trained_words,
        is_nsfw=chosen.nsfw,
        sha256=chosen.hashes.get("SHA256"),
    )


def _candidate(one: Candidate) -> dict[str, Any]:
    file = one.file
    return {
        "model_id": file.model_id,
        "model_name": file.model_name,
        "version_id": file.version_id,
        "version_name": file.version_name,
        "file_name": file.file_name,
        "score": one.score,
        "method": one.method,
    }


def _text(value: object) -> str | None:
    return value if isinstance(value, str) else None
