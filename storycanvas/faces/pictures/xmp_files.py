"""XMP packets in JPEG and WebP files, put in and taken out without encoding pixels anew.

Adobe, "XMP Specification Part 3", 1.1.3; Google, "WebP Container Specification".
"""

import struct
from collections.abc import Iterator

_START = b"\xff\xd8"
_APP0, _APP1 = b"\xff\xe0", b"\xff\xe1"
_JPEG_XMP = b"http://ns.adobe.com/xap/1.0/\0"
_MAX_SEGMENT = 65_533
_RIFF_HEADER = 12
_EXTENDED, _XMP = b"VP8X", b"XMP "
_HAS_XMP = 0x04


def with_xmp(file: bytes, extension: str, packet: bytes, size: tuple[int, int]) -> bytes:
    """Put a packet into a JPEG (`jpg`) or WebP file that has none.

    Args:
        file: The whole file.
        extension: `jpg` or `webp`.
        packet: UTF-8.
        size: Width and height of the picture in pixels.
    """
    if extension == "jpg":
        return _jpeg_with(file, packet)
    chunks = list(_webp_chunks(file))
    if chunks[0][0] == _EXTENDED:
        head = bytearray(chunks[0][1])
        chunks = chunks[1:]
    else:
        head = bytearray(struct.pack("<I", 0))
        head += b"".join((side - 1).to_bytes(3, "little") for side in size)
    head[0] |= _HAS_XMP
    return _webp([(_EXTENDED, bytes(head)), *chunks, (_XMP, packet)])


def without_xmp(file: bytes, extension: str) -> bytes:
    """Take the packet out of a file: what `with_xmp` was given, byte for byte."""
    if extension == "jpg":
        return _jpeg_without(file)
    chunks = [(kind, data) for kind, data in _webp_chunks(file) if kind != _XMP]
    if chunks[0][0] == _EXTENDED:
        head = bytearray(chunks[0][1])
        head[0] &= ~_HAS_XMP
        chunks[0] = (_EXTENDED, bytes(head))
        if not head[0]:  # libwebp writes no such header where nothing needs it
            chunks = chunks[1:]
    return _webp(chunks)


def _jpeg_with(file: bytes, packet: bytes) -> bytes:
    data = _JPEG_XMP + packet
    if len(data) > _MAX_SEGMENT:
        raise ValueError(f"an XMP packet of {len(packet):,} bytes does not fit into a JPEG file")
    place = len(_START)
    if file[place : place + 2] == _APP0:  # JFIF wants to be the first
        place += 2 + int.from_bytes(file[place + 2 : place + 4], "big")
    segment = _APP1 + struct.pack(">H", len(data) + 2) + data
    return file[:place] + segment + file[place:]


def _jpeg_without(file: bytes) -> bytes:
    place = len(_START)
    while file[place : place + 1] == b"\xff":
        end = place + 2 + int.from_bytes(file[place + 2 : place + 4], "big")
        if file[place : place + 2] == _APP1 and file[place + 4 : end].startswith(_JPEG_XMP):
            return file[:place] + file[end:]
        if not _APP0 <= file[place : place + 2] <= b"\xff\xef":
            break
        place = end
    return file


def _webp_chunks(file: bytes) -> Iterator[tuple[bytes, bytes]]:
    place = _RIFF_HEADER
    while place + 8 <= len(file):
        size = int.from_bytes(file[place + 4 : place + 8], "little")
        yield file[place : place + 4], file[place + 8 : place + 8 + size]
        place += 8 + size + size % 2


def _webp(chunks: list[tuple[bytes, bytes]]) -> bytes:
    body = b"WEBP" + b"".join(
        kind + struct.pack("<I", len(data)) + data + b"\0" * (len(data) % 2)
        for kind, data in chunks
    )
    return b"RIFF" + struct.pack("<I", len(body)) + body
