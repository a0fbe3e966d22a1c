"""A client of Civitai's API (docs/catalog.md)."""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Self

from storycanvas.catalog.civitai.pages import CatalogPage, read_page
from storycanvas.catalog.civitai.query import CivitaiQuery
from storycanvas.catalog.errors import AnswerUnreadable, CatalogRefused, NotThere
from storycanvas.catalog.hashes import normal_hash
from storycanvas.catalog.json_client import JsonClient

CIVITAI_URL = "https://civitai.com"

MAX_HASHES = 10_000
"""SHA-256 sums that one request may ask for."""

_API = "/api/v1"
_TIMEOUT_SECONDS = 60.0
_HASH = re.compile(r"[0-9A-Fa-f]{8,64}")


@dataclass(frozen=True, slots=True)
class HashHit:
    """A version that has a file with a hash.

    Attributes:
        sha256: Upper case.
        model_id: Civitai's id of the item.
        version_id: Civitai's id of the version.
    """

    sha256: str
    model_id: int
    version_id: int


class CivitaiClient:
    """A connection to Civitai; every call may raise what `storycanvas.catalog.json_client` raises.

    Args:
        base_url: The site's address.
        api_key: Sent as a header, never in an address; None asks without a key.
        before_call: Called before every request; it may wait.

    Raises:
        CatalogRefused: The address is not valid, the key holds what HTTP cannot carry, or the
            environment's proxy cannot be used.
    """

    def __init__(
        self,
        base_url: str = CIVITAI_URL,
        api_key: str | None = None,
        before_call: Callable[[], None] | None = None,
    ) -> None:
        headers = {"Authorization": f"Bearer {api_key}"} if api_key else {}
        self._json = JsonClient(
            base_url, headers=headers, proxied=True, timeout_seconds=_TIMEOUT_SECONDS
        )
        self._before_call = before_call or _at_once

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        """Close the connections."""
        self._json.close()

    def page(self, query: CivitaiQuery, cursor: str | None = None) -> CatalogPage:
        """Read the page of the list that begins at a cursor; None is the first one.

        Raises:
            AnswerUnreadable: The answer has no list of items.
        """
        self._before_call()
        parameters = query.parameters(cursor)
        answer = self._json.get(f"{_API}/models", parameters)
        # Where the page of a cursor begins may ask for fewer items than the query does.
        return read_page(answer, int(dict(parameters)["limit"]))

    def ids_by_hash(self, sha256s: Sequence[str]) -> list[HashHit]:
        """Find all versions that have files with these SHA-256 sums, 10,000 a request.

        Invalid sums, and the one of an empty file, are left out: a single one of them makes Civitai
        refuse the whole request.

        Raises:
            AnswerUnreadable: An answer is not a list.
        """
        known = (normal_hash("SHA256", value) for value in sha256s)
        wanted = [digits for digits in dict.fromkeys(known) if digits]
        hits: list[HashHit] = []
        for begin in range(0, len(wanted), MAX_HASHES):
            hits += self._hits(wanted[begin : begin + MAX_HASHES])
        return hits

    def version_by_hash(self, digits: str) -> object | None:
        """Find the version that has a file with a hash of any kind.

        Args:
            digits: 8 to 64 hexadecimal digits.

        Returns:
            The answer (`storycanvas.catalog.civitai.version_files`); None if Civitai does not know
            the hash.

        Raises:
            CatalogRefused: `digits` is not a hash.
        """
        if not _HASH.fullmatch(digits):
            raise CatalogRefused(f"{digits[:80]!r} is not a hash of 8 to 64 hex digits.")
        self._before_call()
        try:
            return self._json.get(f"{_API}/model-versions/by-hash/{digits}")
        except NotThere:
            return None

    def model(self, number: int) -> object:
        """Read an item by Civitai's id.

        Raises:
            NotThere: Civitai has no item with this id.
        """
        self._before_call()
        return self._json.get(f"{_API}/models/{number:d}")

    def _hits(self, sha256s: list[str]) -> list[HashHit]:
        self._before_call()
        rows = self._json.post(f"{_API}/model-versions/by-hash/ids", sha256s)
        if not isinstance(rows, list):
            raise AnswerUnreadable("Civitai answered a lookup of hashes without a list.")
        wanted = set(sha256s)
        hits = (_hit(row) for row in rows)
        return [hit for hit in hits if hit is not None and hit.sha256 in wanted]


def _hit(row: object) -> HashHit | None:
    if not isinstance(row, Mapping):
        return None
    sha256 = normal_hash("SHA256", row.get("hash"))
    model, version = row.get("modelId"), row.get("modelVersionId")
    if sha256 is None or type(model) is not int or type(version) is not int:
        return None
    return HashHit(sha256, model, version)


def _at_once() -> None:
    """Wait for nothing."""
