"""Unpacks gzip in small parts, since a few bytes of it may unpack to any length."""

import zlib
from collections.abc import Iterable, Iterator

PART_BYTES = 256 * 1024
"""Length of an unpacked part at most."""

_GZIP_WRAPPED = 31  # zlib's manual: 15 bits of window, and 16 for the wrapper of gzip


def unpacked(packed_parts: Iterable[bytes]) -> Iterator[bytes]:
    """Unpack; unlike the module `gzip`, give all there is of a torn text.

    Args:
        packed_parts: One or more gzip members after each other, cut anywhere.

    Yields:
        Parts of at most `PART_BYTES`; none is empty.

    Raises:
        EOFError: It is cut off.
        zlib.error: It is no gzip, or damaged.
    """
    unpacker = zlib.decompressobj(_GZIP_WRAPPED)
    for next_part in packed_parts:
        packed = next_part
        while packed:
            if unpacker.eof:
                packed = packed.lstrip(b"\0")  # padding between two members, or after the last
                if not packed:
                    break
                unpacker = zlib.decompressobj(_GZIP_WRAPPED)
            if part := unpacker.decompress(packed, PART_BYTES):
                yield part
            packed = unpacker.unused_data if unpacker.eof else unpacker.unconsumed_tail
    while not unpacker.eof and (part := unpacker.decompress(b"", PART_BYTES)):
        yield part
    if not unpacker.eof:
        raise EOFError
