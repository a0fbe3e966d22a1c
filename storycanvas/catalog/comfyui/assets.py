"""Hashes of whole files, which servers started with `--enable-assets` list at `/api/assets`."""

from collections.abc import Iterator, Mapping, Sequence

from storycanvas.catalog.entries import ModelEntry, Problems
from storycanvas.catalog.errors import CatalogBusy, CatalogError, NotThere
from storycanvas.catalog.hashes import normal_hash
from storycanvas.catalog.json_client import JsonClient
from storycanvas.catalog.names import normal_path

PAGE_SIZE = 500
"""Most rows that ComfyUI answers at once."""

MAX_PAGES = 1000
"""A longer list of assets is not read further."""

_RENAMED = {"unet": "diffusion_models", "clip": "text_encoders", "t2i_adapter": "controlnet"}
"""Directories whose files ComfyUI lists in a folder of another name."""

_TYPE_TAG = "model_type:"
_Place = tuple[str, str]
_HashesByPlace = dict[_Place, set[tuple[str, int | None]]]


def with_asset_hashes(
    client: JsonClient, entries: Sequence[ModelEntry], problems: Problems
) -> list[ModelEntry]:
    """Add the BLAKE3 sums that the server lists of its files.

    A file with two hashes, and a hash of a file of another size, are left out.
    """
    hashes: _HashesByPlace = {}
    try:
        for asset in _assets(client):
            _add_hash(asset, hashes)
    except (NotThere, CatalogBusy):
        # Older servers do not know the path; newer ones answer 503 until it is enabled.
        return [*entries]
    except CatalogError as error:
        problems.add("/api/assets", f"Hashes are unknown. {error}")
    return [_with_hash(entry, hashes.get((entry.folder, entry.path), set())) for entry in entries]


def _assets(client: JsonClient) -> Iterator[Mapping[str, object]]:
    before: object = None
    for number in range(MAX_PAGES):
        paging: dict[str, str | int] = {"limit": PAGE_SIZE, "offset": number * PAGE_SIZE}
        order = {"include_tags": "models", "sort": "name", "order": "asc"}
        page = client.get("/api/assets", {**order, **paging})
        rows = page.get("assets") if isinstance(page, dict) else None
        if not isinstance(page, dict) or not isinstance(rows, list) or rows == before:
            return
        yield from (row for row in rows if isinstance(row, dict))
        if not rows or page.get("has_more") is not True:
            return
        before = rows


def _add_hash(asset: Mapping[str, object], hashes: _HashesByPlace) -> None:
    digest = normal_hash("BLAKE3", asset.get("hash") or asset.get("asset_hash"))
    if digest is None:
        return
    size = asset.get("size")
    known_size = size if isinstance(size, int) and not isinstance(size, bool) else None
    for place in _places(asset):
        hashes.setdefault(place, set()).add((digest, known_size))


def _places(asset: Mapping[str, object]) -> Iterator[_Place]:
    """Find the entries that an asset may be: it names its directory, or its folders as tags."""
    whole, inner, tags = (asset.get(key) for key in ("file_path", "loader_path", "tags"))
    path = normal_path(whole) if isinstance(whole, str) else None
    if path is not None and path.startswith("models/") and path.count("/") > 1:
        _, directory, rest = path.split("/", 2)
        yield _RENAMED.get(directory, directory), rest
    path = normal_path(inner) if isinstance(inner, str) else None
    if path is not None and isinstance(tags, list):
        for tag in tags:
            if isinstance(tag, str) and tag.startswith(_TYPE_TAG):
                yield tag.removeprefix(_TYPE_TAG), path


def _with_hash(entry: ModelEntry, hashes: set[tuple[str, int | None]]) -> ModelEntry:
    fitting = {
        digest for digest, size in hashes if entry.size is None or size in {None, entry.size}
    }
    if len(fitting) != 1:
        return entry
    return entry._replace(hashes={**entry.hashes, "BLAKE3": fitting.pop()})
