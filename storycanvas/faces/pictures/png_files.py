"""PNG files, written fast and changed without encoding their pixels anew.

ISA-L deflates several times faster than zlib's fastest level, to a smaller file; with the filter
`Up` on every row any reader gets the same pixels.
"""

import io
import struct
from collections.abc import Collection, Iterator, Sequence

import numpy as np
from isal import isal_zlib
from isal.igzip_lib import IsalError
from PIL import Image, ImageChops

SIGNATURE = b"\x89PNG\r\n\x1a\n"
_COLOUR_TYPES = {"RGB": 2, "RGBA": 6}
_UP = b"\x02"
_ROWS = 256
"""Rows that are filtered at a time; a whole picture would be held several times over."""
_STEP = 1 << 20
"""Bytes that are inflated at a time, and given to it: what is left of them is copied each time."""
_NARROW = 256
"""Bytes of a row up to which rows are summed up together; wider ones are faster one by one."""
_LEVEL = 1
_PLAIN_DEPTHS = {b"\x08\x02", b"\x08\x06"}
_PLAIN_CHUNKS = {b"IHDR", b"iCCP", b"IDAT", b"IEND"}
_FRAME = 12
"""Bytes of a chunk beside its data: length, kind, checksum."""
_KEYWORD = 80
_HEADER_END = 33
"""Offset of the first chunk behind the header, which has 13 bytes of data."""


def encode_png(image: Image.Image, profile: bytes | None) -> bytes:
    """Write an RGB or RGBA image as PNG, with its ICC profile and no other metadata."""
    header = struct.pack(">IIBBBBB", *image.size, 8, _COLOUR_TYPES[image.mode], 0, 0, 0)
    buffer = io.BytesIO(SIGNATURE)
    buffer.seek(0, io.SEEK_END)
    buffer.write(chunk(b"IHDR", header))
    if profile:
        buffer.write(chunk(b"iCCP", b"ICC Profile\0\0" + isal_zlib.compress(profile)))
    deflate = isal_zlib.compressobj(_LEVEL)
    for rows in _filtered(image):
        packed = deflate.compress(rows)
        if packed:
            buffer.write(chunk(b"IDAT", packed))
    buffer.write(chunk(b"IDAT", deflate.flush()))
    buffer.write(chunk(b"IEND", b""))
    return buffer.getvalue()


def _filtered(image: Image.Image) -> Iterator[bytes]:
    width, height = image.size
    stride = width * len(image.mode)
    for top in range(0, height, _ROWS):
        bottom = min(top + _ROWS, height)
        here = image.crop((0, top, width, bottom))
        above = image.crop((0, top - 1, width, bottom - 1))  # zeros above the first row
        pixels = memoryview(ImageChops.subtract_modulo(here, above).tobytes())
        yield b"".join(
            part
            for start in range(0, len(pixels), stride)
            for part in (_UP, pixels[start : start + stride])
        )


def decode_own(png: bytes) -> Image.Image | None:
    """Decode a PNG file as `encode_png` writes it, faster than Pillow, without its profile.

    Returns:
        The pixels; None for any other file, which includes a damaged one.
    """
    if not is_plain(png) or png[26:29] != b"\0\0\0":
        return None
    width, height = struct.unpack_from(">II", png, 16)
    mode = next(mode for mode, kind in _COLOUR_TYPES.items() if kind == png[25])
    rows = _Rows(Image.new(mode, (width, height), None))  # zeroing costs as much as decoding
    try:
        whole = all(rows.add(data) for data in _image_data(memoryview(png))) and rows.are_complete
    except IsalError:  # type: ignore[misc]  # its stub takes it for an instance
        return None
    return rows.image if whole else None


def _image_data(png: memoryview) -> Iterator[memoryview]:
    for kind, start, end in _chunks(png):
        if kind == b"IDAT":
            data = png[start + 8 : end - 4]
            checksum = isal_zlib.crc32(data, isal_zlib.crc32(kind))
            if png[end - 4 : end] != struct.pack(">I", checksum):
                return  # then rows are missing
            for begin in range(0, len(data), _STEP):
                yield data[begin : begin + _STEP]


class _Rows:
    """Brings rows of the filter `Up`, which come as compressed data, into an image."""

    def __init__(self, image: Image.Image) -> None:
        self.image = image
        self._above = np.zeros(image.width * len(image.mode), np.uint8)
        self._row = 0
        self._raw = bytearray()
        self._inflate = isal_zlib.decompressobj()

    @property
    def are_complete(self) -> bool:
        """Whether the data ended with the last row."""
        return bool(self._inflate.eof) and self._row == self.image.height and not self._raw

    def add(self, data: bytes | memoryview) -> bool:
        """Take a piece; False if a row has another filter, or there are too many rows."""
        size = len(self._above) + 1
        while True:
            raw = self._inflate.decompress(data, _STEP)
            self._raw += raw
            if len(self._raw) > (self.image.height - self._row) * size:
                return False  # a bomb is not inflated
            if self._raw[::size].strip(_UP):
                return False  # known from the first byte: most other files are left at once
            self._paste(len(self._raw) // size)
            data = self._inflate.unconsumed_tail
            if len(raw) < _STEP:
                return not data

    def _paste(self, count: int) -> None:
        """Bring the first rows of what is inflated into the image."""
        if not count:
            return
        size = len(self._above) + 1
        pixels = np.empty((count, size - 1), np.uint8)
        raw, self._raw = self._raw, self._raw[count * size :]
        rows = np.frombuffer(raw, np.uint8, count * size).reshape(count, size)
        if size > _NARROW:
            for row, filtered in zip(pixels, rows, strict=True):
                np.add(self._above, filtered[1:], out=row)
                self._above = row
        else:  # millions of rows would take seconds one by one
            np.add.accumulate(rows[:, 1:], axis=0, dtype=np.uint8, out=pixels)
            pixels += self._above
            self._above = pixels[-1]
        shape = count, self.image.width, len(self.image.mode)
        self.image.paste(Image.fromarray(pixels.reshape(shape)), (0, self._row))
        self._row += count


def chunk(kind: bytes, data: bytes) -> bytes:
    """Build a chunk with its length and checksum."""
    checksum = isal_zlib.crc32(data, isal_zlib.crc32(kind))
    return struct.pack(">I", len(data)) + kind + data + struct.pack(">I", checksum)


def text_chunk(keyword: str, text: str) -> bytes:
    """Build an international text chunk (`iTXt`), uncompressed."""
    return chunk(b"iTXt", keyword.encode("latin-1") + b"\0\0\0\0\0" + text.encode())


def with_chunks(png: bytes, chunks: Sequence[bytes]) -> bytes:
    """Put chunks behind the header of a PNG file."""
    return b"".join((png[:_HEADER_END], *chunks, png[_HEADER_END:]))


def is_plain(data: bytes) -> bool:
    """Whether a file is a PNG of 8-bit RGB or RGBA that holds nothing but pixels and a profile."""
    if not data.startswith(SIGNATURE) or data[24:26] not in _PLAIN_DEPTHS:
        return False
    chunks = list(_chunks(data))
    ends = chunks[-1][2] == len(data) if chunks else False
    return ends and all(kind in _PLAIN_CHUNKS for kind, _, _ in chunks)


def _chunks(png: bytes | memoryview) -> Iterator[tuple[bytes, int, int]]:
    """Yield each chunk's kind and where it begins and ends."""
    offset = len(SIGNATURE)
    while offset + _FRAME <= len(png):
        (length,) = struct.unpack_from(">I", png, offset)
        end = offset + _FRAME + length
        yield bytes(png[offset + 4 : offset + 8]), offset, end
        offset = end


def without_texts(png: bytes, keywords: Collection[str]) -> bytes:
    """Take the text chunks of these keywords out of a PNG file."""
    names = [keyword.encode("latin-1") + b"\0" for keyword in keywords]
    kept = [png[: len(SIGNATURE)]]
    for kind, start, end in _chunks(png):
        begins = png[start + 8 : start + 8 + _KEYWORD]
        if kind != b"iTXt" or not begins.startswith(tuple(names)):
            kept.append(png[start:end])
    return b"".join(kept)
