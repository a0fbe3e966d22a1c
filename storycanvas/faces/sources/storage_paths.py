"""Where a stored `storage_path` lies: below the main image store, or below a named one beside it.

Tables of the couple face-swap hold paths and no addresses. The first part of a path is a store only
where the operator named it; else it is a folder like any other.
"""

import re
from collections.abc import Mapping

from storycanvas.faces.pictures.image_store import STORED_PATH, is_inside
from storycanvas.faces.sources.trust import not_allowed
from storycanvas.net.redact import redact_url

LOCAL = "local"
"""The store of paths that name none."""

_NAMED = re.compile(
    r"(?P<name>[A-Za-z0-9][A-Za-z0-9_-]*)=(?P<url>[A-Za-z][A-Za-z0-9+.-]*://.*[^/].*)"
)
"""The root of a whole machine or cloud is no store."""

_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_LEADS_ANYWHERE = ("http://", "https://")
"""fsspec follows redirects there, so a path could lead to any server."""


def read_stores(text: str) -> dict[str, str]:
    """Read named stores, `NAME=URL` and several separated by commas.

    Returns:
        The fsspec URLs of their roots, by name.

    Raises:
        ValueError: A part is none; the text names it without a secret.
    """
    stores: dict[str, str] = {}
    for part in filter(None, (part.strip() for part in text.split(","))):
        found = _NAMED.fullmatch(part)
        if found is None or found["url"].lower().startswith(_LEADS_ANYWHERE):
            name, equals, url = part.partition("=")
            raise ValueError(
                f"{redact_url(url if equals else name)!r} is no NAME=URL of a folder or bucket"
            )
        if found["name"] in stores:
            raise ValueError(f"{found['name']!r} is named twice")
        stores[found["name"]] = found["url"]
    return stores


def reference_of(storage_path: str, stores: Mapping[str, str]) -> str:
    """Find the reference by which the picture of a stored path is read.

    Args:
        storage_path: As a document holds it, which any user of the app may have written.
        stores: The roots of the stores beside the main one, by name (`ImageStore.roots`).

    Returns:
        An address below a root of `stores`, or a path of the main store.

    Raises:
        PictureNotAllowed: It is no path inside of a store.
    """
    parts = storage_path.split("/")
    if _SCHEME.match(storage_path) or ".." in parts or not is_inside(storage_path):
        raise not_allowed(storage_path)
    if STORED_PATH.fullmatch(storage_path):
        return storage_path  # the main store gave it: no other file is named after its bytes
    first, _, rest = storage_path.partition("/")
    if first in stores and rest:
        return _below(stores[first], rest, storage_path)
    return _below(stores[LOCAL], storage_path, storage_path) if LOCAL in stores else storage_path


def _below(root: str, path: str, storage_path: str) -> str:
    if not is_inside(path):
        raise not_allowed(storage_path)
    return f"{root}/{path}"
