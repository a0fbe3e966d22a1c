"""Reading all documents of a collection while the server already prepares the next ones."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextvars import copy_context
from typing import cast

import bson
from bson.codec_options import CodecOptions, DatetimeConversion
from pymongo.database import Database

from db.connection import Document

# Twice as fast as times with a zone, of which a document may hold hundreds; no model asks for one.
_PLAIN_TIMES: CodecOptions[Document] = CodecOptions(
    datetime_conversion=DatetimeConversion.DATETIME_AUTO, unicode_decode_error_handler="replace"
)


def read_ahead(
    database: Database[Document], collection: str, pipeline: list[Document]
) -> Iterator[Document]:
    """Read documents one after another, with times without a zone, which are UTC.

    The next batch is fetched by another thread, so that server and caller work at the same time;
    two batches at most, 16 MB each, are in memory.
    """
    batches = database[collection].aggregate_raw_batches(pipeline, allowDiskUse=True)

    def fetch() -> bytes | None:
        return cast("bytes | None", next(batches, None))

    # The deadline of the caller holds in the other thread too.
    context = copy_context()
    with batches, ThreadPoolExecutor(1) as other:
        ahead = other.submit(context.run, fetch)
        while (batch := ahead.result()) is not None:
            ahead = other.submit(context.run, fetch)
            yield from bson.decode_iter(batch, _PLAIN_TIMES)
