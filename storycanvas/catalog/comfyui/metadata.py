"""What trainers wrote into LoRA files, which `/view_metadata/{folder}` answers."""

from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from urllib.parse import quote

from storycanvas.catalog.entries import ModelEntry, Problems
from storycanvas.catalog.errors import CatalogError, NotThere
from storycanvas.catalog.hashes import hashes_from_metadata
from storycanvas.catalog.json_client import JsonClient

KnownMetadata = Mapping[tuple[str, str], tuple[int | None, float | None]]
"""Files whose metadata was read before: folder and path, and their size and time then."""

AT_ONCE = 4
"""Requests at a time."""

MAX_FAILURES = 20
"""In a row; then no more metadata is requested."""

MAX_VALUE_LENGTH = 500
"""Characters that are kept of a value."""

MAX_NAME_LENGTH = 200
"""Characters of a value's name; values with longer names are left out."""

MAX_PAIRS = 60

NOTHING_OF_USE: Mapping[str, str] = {"read": "nothing of use"}
"""Stored for a file without useful metadata, so that it is not requested again."""

_KEPT = {"sshs_model_hash", "sshs_legacy_hash", "ss_base_model_version", "ss_output_name"}
_PICTURE = "modelspec.thumbnail"


@dataclass(frozen=True, slots=True)
class _Failure:
    reason: str


def with_metadata(
    client: JsonClient, entries: Sequence[ModelEntry], known: KnownMetadata, problems: Problems
) -> list[ModelEntry]:
    """Add the metadata of LoRA files that are new or changed, with the hash in it.

    A file without useful metadata gets `NOTHING_OF_USE`; files of `known` are not requested again.
    """

    def request(entry: ModelEntry) -> Mapping[str, str] | _Failure:
        return _read(client, entry)

    wanted = [entry for entry in entries if _is_wanted(entry, known)]
    wanted.sort(key=_age)  # otherwise files that fail each time would keep new ones out
    read: dict[tuple[str, str], Mapping[str, str]] = {}
    failures = 0
    with ThreadPoolExecutor(AT_ONCE) as pool:
        for start in range(0, len(wanted), AT_ONCE):
            batch = wanted[start : start + AT_ONCE]
            for entry, found in zip(batch, pool.map(request, batch), strict=True):
                if isinstance(found, _Failure):
                    problems.add(f"{entry.folder}/{entry.path}", found.reason)
                    failures += 1
                else:
                    read[entry.folder, entry.path] = found
                    failures = 0
            if failures >= MAX_FAILURES:
                problems.add(
                    "/view_metadata", f"It failed {failures} times in a row; the rest is not read."
                )
                break
    return [_with_pairs(entry, read.get((entry.folder, entry.path), {})) for entry in entries]


def kept_pairs(metadata: Mapping[str, object]) -> dict[str, str]:
    """Choose what shows a model's origin: hashes, base model, names, `modelspec`."""
    texts = {key: value for key, value in metadata.items() if isinstance(value, str) and value}
    wanted = sorted(filter(_is_kept, texts))[-MAX_PAIRS:]  # the trainers' own come last
    return {key: texts[key][:MAX_VALUE_LENGTH] for key in wanted}


def _is_kept(name: str) -> bool:
    if "\0" in name or len(name) > MAX_NAME_LENGTH or name == _PICTURE:
        return False
    return name in _KEPT or name.startswith("modelspec.")


def _age(entry: ModelEntry) -> float:
    return -(entry.modified or 0.0)


def _is_wanted(entry: ModelEntry, known: KnownMetadata) -> bool:
    if entry.folder != "loras" or not entry.path.endswith(".safetensors"):
        return False
    before = known.get((entry.folder, entry.path))
    if before is None:
        return True
    both = zip((entry.size, entry.modified), before, strict=True)
    return any(None not in pair and pair[0] != pair[1] for pair in both)


def _read(client: JsonClient, entry: ModelEntry) -> Mapping[str, str] | _Failure:
    path = f"/view_metadata/{quote(entry.folder, safe='')}"
    try:
        metadata = client.get(path, {"filename": entry.raw_name})
    except NotThere:  # the file has none
        return NOTHING_OF_USE
    except CatalogError as error:
        return _Failure(f"Its metadata is unknown. {error}")
    if metadata is None:
        return NOTHING_OF_USE
    if not isinstance(metadata, dict):
        return _Failure("Its metadata is not an object.")
    return kept_pairs(metadata) or NOTHING_OF_USE


def _with_pairs(entry: ModelEntry, pairs: Mapping[str, str]) -> ModelEntry:
    if not pairs:
        return entry
    hashes = {**hashes_from_metadata(pairs), **entry.hashes}
    return entry._replace(metadata=pairs, hashes=hashes)
