"""Known models in `database_models`: the row of each model, and its fields.

A row that the app made keeps what a person may have written into it: a text is set only if there is
none, or if it came from an earlier match.
"""

from collections.abc import Iterable, Mapping
from typing import Any
from uuid import NAMESPACE_URL, uuid5

from db.catalog.matches.links import KNOWN, MatchLink, MatchRow
from db.connection import Document

SOURCE = "civitai-match"
"""`source` of the rows that are added here."""
MAX_DESCRIPTION_LENGTH = 20_000
"""Characters of Civitai's description that are copied; it is in the text index."""

_OF_THE_MATCH = ("civitai_id", "civitai_match_quality")
_OF_CIVITAI = (
    *("modelId", "versionId", "name", "versionName", "baseModel", "description", "tags"),
    *("trainedWords", "sha256", "nsfw"),
)
"""Parts of `civitai_info` that are written here; other parts stay."""


def row_of(row: MatchRow, rows: Iterable[Mapping[str, Any]]) -> Mapping[str, Any] | None:
    """Choose the row of `database_models` that a model has; None if it has none yet.

    It is the row with its `catalog_model_id`; else the one with its id, as earlier releases wrote
    it; else one of the same file and type that is no other model's. The app's own row has the file
    as its `name` and no `filename`; another row has its `filename`, and no other file's path.
    """
    ranked = sorted(rows, key=lambda entry: str(entry.get("id")))
    tests = (
        lambda entry: entry.get("catalog_model_id") == row.model_id,
        lambda entry: entry.get("id") == row.model_id,
        lambda entry: _is_free_row_of(row, entry),
    )
    return next((entry for test in tests for entry in ranked if test(entry)), None)


def row_id(server: str | None, model_id: str) -> str:
    """Make the id of a row, without a slash: the app puts it into addresses."""
    return str(uuid5(NAMESPACE_URL, f"{server or ''}/{model_id}"))


def number_of_row(stored: Mapping[str, Any]) -> object:
    """Find Civitai's number of a row's link.

    A person who links a row in the app changes all of `civitai_info`, and not `civitai_id`.
    """
    info = _info(stored)
    if "versionId" not in info and info.get("modelId"):
        return info["modelId"]
    return stored.get("civitai_id")


def new_row(row: MatchRow, link: MatchLink) -> Document:
    """Make the row of a known model that has none, without times.

    Its name is the app's, which looks for a file's row by `name` and `type` and would add another.
    """
    server = next(iter(row.servers), None)
    return {
        # Two runs at once, which may see other servers, add one row.
        "_id": row.model_id,
        "id": row_id(server, row.model_id),
        "name": row.names[0],
        "type": row.model_type,
        "is_active": True,
        "source": SOURCE,
        "server_source": server,
        "is_nsfw": link.is_nsfw,
        **_facts(row, link),
        **_texts(link),
    }


def row_changes(row: MatchRow, stored: Mapping[str, Any]) -> Document:
    """Find the fields to set in a model's row; empty if it is as it should be.

    A model that is no longer known loses the fields of its earlier match.
    """
    if row.link is None or row.link.quality not in KNOWN:
        return _reset_fields(row, stored)
    wanted = _facts(row, row.link)
    wanted["civitai_info"] = {**_info(stored), **wanted["civitai_info"]}
    wanted["path"] = stored.get("path") or wanted["path"]
    # The app sets the server that it asked last.
    if row.servers and stored.get("server_source") not in row.servers:
        wanted["server_source"] = row.servers[0]
    wanted |= _texts_that_may_be_written(stored, _texts(row.link))
    if _may_be_marked(row.link.is_nsfw, stored):
        wanted["is_nsfw"] = row.link.is_nsfw
    return {name: value for name, value in wanted.items() if stored.get(name) != value}


def _reset_fields(row: MatchRow, stored: Mapping[str, Any]) -> Document:
    if stored.get("catalog_model_id") != row.model_id or stored.get("civitai_id") is None:
        return {}
    texts = _texts_that_may_be_written(stored, dict.fromkeys(_TEXTS))
    others = {name: value for name, value in _info(stored).items() if name not in _OF_CIVITAI}
    # The app refuses its whole list for an object without `modelId`.
    info = {"modelId": "", **others} if others else None
    return {**dict.fromkeys(_OF_THE_MATCH), "civitai_info": info, **texts}


def _is_free_row_of(row: MatchRow, stored: Mapping[str, Any]) -> bool:
    kind = stored.get("type") or stored.get("model_type")
    if not isinstance(kind, str) or kind.casefold() != row.model_type:
        return False
    if stored.get("filename") is None:
        is_same = stored.get("name") in row.names
    else:
        is_same = stored["filename"] == row.file_name
    return is_same and stored.get("catalog_model_id") is None and _may_lie_at(row, stored)


def _may_lie_at(row: MatchRow, stored: Mapping[str, Any]) -> bool:
    path = stored.get("path") or stored.get("filepath")
    if not isinstance(path, str):
        return True
    path, local = path.replace("\\", "/"), row.path
    ends = [f"/{row.model_id}", *([f"/{local}"] if "/" in local else [])]
    return path in {row.file_name, local, row.model_id} or path.endswith(tuple(ends))


def _facts(row: MatchRow, link: MatchLink) -> Document:
    """Fields that always follow the match."""
    return {
        "filename": row.file_name,
        "path": row.model_id,
        "catalog_model_id": row.model_id,
        "civitai_id": link.civitai_id,
        "civitai_match_quality": link.quality,
        "civitai_info": {
            "modelId": str(link.civitai_id),
            "versionId": link.version_id,
            "name": link.name,
            "versionName": link.version_name,
            "baseModel": link.base_model,
            "description": (link.description or "")[:MAX_DESCRIPTION_LENGTH] or None,
            "tags": [*link.tags],
            "trainedWords": [*link.trained_words],
            "sha256": link.sha256,
            "nsfw": link.is_nsfw,
        },
    }


_TEXTS = ("base_model", "trigger_words", "hash")


def _texts(link: MatchLink) -> Document:
    words = ", ".join(link.trained_words) or None
    return dict(zip(_TEXTS, (link.base_model, words, link.sha256), strict=True))


def _texts_that_may_be_written(stored: Mapping[str, Any], texts: Document) -> Document:
    """Leave out the texts that a person wrote."""
    info = _info(stored)
    words = info.get("trainedWords")
    joined = ", ".join(map(str, words)) if isinstance(words, list) else None
    ours = dict(zip(_TEXTS, (info.get("baseModel"), joined, info.get("sha256")), strict=True))
    return {
        name: text for name, text in texts.items() if stored.get(name) in (None, "", ours[name])
    }


def _may_be_marked(is_nsfw: bool, stored: Mapping[str, Any]) -> bool:
    """Keep a person's choice: a value that differs from Civitai's last one.

    Before there was one, a row of the app may be marked NSFW, since false is its default, but not
    unmarked.
    """
    before, is_marked = _info(stored).get("nsfw"), stored.get("is_nsfw")
    return is_marked is None or is_marked == before or (before is None and is_nsfw)


def _info(stored: Mapping[str, Any]) -> Mapping[str, Any]:
    info = stored.get("civitai_info")
    return info if isinstance(info, Mapping) else {}
