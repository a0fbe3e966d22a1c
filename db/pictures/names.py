"""What the database names of an image store, whatever field of whatever collection has it.

A stored picture is called by the hash of its bytes, 64 characters that any address, path or link to
it holds. So every document is read as the bytes that the server sends, and each such run of
characters counts, in texts, keys and lists alike: a field that this project does not know, or one
that the app adds tomorrow, names a picture like any other.
"""

import re
from collections.abc import Container, Iterator
from typing import Any

import bson
from bson.raw_bson import RawBSONDocument
from pymongo.collection import Collection
from pymongo.database import Database

from db.connection import Document, reading_anything, translated_errors

_LENGTH = 64
_HASHES = re.compile(rb"[0-9A-Fa-f]{64,}")
_LEDGER = "facefusion_operations"
NAME_NONE = frozenset({"civitai_models", "host_checks", "catalog_imports", "locks"})
"""Collections that this project alone writes, with no picture of the store in them. The first has
the hashes of a hundred thousand model files."""


def named_hashes(database: Database[Document], wanted: Container[str]) -> set[str]:
    """Find which hashes a document of the database holds, those in the recycle bin included.

    Of the ledger, an output that a forced run replaced is not named by its own operation.

    Args:
        database: The StoryCanvas database.
        wanted: The hashes that are asked for.
    """
    named: set[str] = set()
    with translated_errors():
        names = database.list_collection_names(filter={"type": {"$ne": "view"}})
        for name in sorted({*names} - NAME_NONE):
            for raw in _raw_documents(database, name):
                found = hashes_in(raw, wanted)
                if found and name == _LEDGER:
                    record = bson.decode(raw, reading_anything(database).codec_options)
                    found -= only_replaced(record, raw, wanted)
                named |= found
    return named


def _raw_documents(database: Database[Document], name: str) -> Iterator[bytes]:
    options = bson.CodecOptions(document_class=RawBSONDocument)
    collection: Collection[Any] = database.get_collection(name, codec_options=options)
    for document in collection.find():
        yield bytes(document.raw)


def hashes_in(raw: bytes, wanted: Container[str]) -> set[str]:
    """Find which of the wanted hashes stand in some bytes, also inside of a longer run."""
    runs = (run.decode().lower() for run in _HASHES.findall(raw))
    return {
        found
        for run in runs
        for start in range(len(run) - _LENGTH + 1)
        if (found := run[start : start + _LENGTH]) in wanted
    }


def only_replaced(record: Document, raw: bytes, wanted: Container[str]) -> set[str]:
    """Find the hashes that an operation names as outputs that a forced run replaced, and no more.

    An effect that is applied has done its work: its character names the picture, or did so. It
    alone does not keep a picture that has been replaced.
    """
    if hashes_in(_encoded(record), wanted) != hashes_in(raw, wanted):
        return set()  # a field twice, or a broken text: all of it counts
    earlier = hashes_in(_encoded({"all": record.get("earlier_outputs")}), wanted)
    effects = record.get("effects")
    kept = [_needed(each, earlier) for each in effects] if isinstance(effects, list) else effects
    rest = {**record, "effects": kept}
    rest.pop("earlier_outputs", None)
    return earlier - hashes_in(_encoded(rest), wanted)


def _encoded(document: Document) -> bytes:
    return bson.encode(document)


def _needed(effect: Any, earlier: set[str]) -> Any:  # noqa: ANN401 - whatever is stored
    """Leave out of an applied effect the addresses of outputs that have been replaced."""
    if not isinstance(effect, dict) or effect.get("applied_at") is None:
        return effect
    entry = effect.get("entry")
    kept = {**effect, "entry": dict(entry)} if isinstance(entry, dict) else dict(effect)
    for holder, field in ((kept, "url"), (kept.get("entry"), "output_image_url")):
        if isinstance(holder, dict) and hashes_in(str(holder.get(field)).encode(), earlier):
            holder.pop(field)
    return kept
