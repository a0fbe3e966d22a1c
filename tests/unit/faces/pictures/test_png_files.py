import io
import os
import struct
import timeit
import tracemalloc
import zlib
from collections.abc import Iterator

import pytest
from PIL import Image

from storycanvas.faces.pictures import reading
from storycanvas.faces.pictures.png_files import (
    SIGNATURE,
    chunk,
    decode_own,
    encode_png,
    is_plain,
    with_chunks,
)
from storycanvas.faces.pictures.provenance import with_provenance, without_provenance
from storycanvas.faces.pictures.reading import decode, normal_form, read_picture

STATEMENT = {"engine": "preview", "operation": "enhance"}


def noise(mode: str, size: tuple[int, int]) -> Image.Image:
    bands = [Image.effect_noise(size, 60 + 40 * index) for index, _ in enumerate(mode)]
    return Image.merge(mode, bands)


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (3, 256), (257, 513)])
def test_other_readers_see_the_pixels_and_the_profile(mode: str, size: tuple[int, int]) -> None:
    image = noise(mode, size)
    with Image.open(io.BytesIO(encode_png(image, b"profile"))) as read:
        assert (read.mode, read.size) == (mode, size)
        assert read.tobytes() == image.tobytes()
        assert read.info["icc_profile"] == b"profile"


def test_provenance_comes_out_of_a_file_byte_for_byte() -> None:
    picture = normal_form(noise("RGB", (9, 5)))
    marked = with_provenance(picture, STATEMENT)
    assert marked != picture.png
    assert without_provenance(marked) == picture.png
    assert read_picture(marked, "marked") == picture


def test_a_file_in_normal_form_is_kept_and_one_with_more_in_it_is_not() -> None:
    png = normal_form(noise("RGBA", (9, 5))).png
    assert read_picture(png, "it").png is png
    longer = png + b"hidden"
    commented = with_chunks(png, [b"\0\0\0\1tEXta" + b"\0\0\0\0"])
    for other in (longer, commented, png[:-4], b"", b"\x89PNG\r\n\x1a\n"):
        assert not is_plain(other)
    assert read_picture(longer, "it").png == png


def test_nothing_is_encoded_before_its_file_is_needed(monkeypatch: pytest.MonkeyPatch) -> None:
    encoded: list[Image.Image] = []

    def counted(image: Image.Image, profile: bytes | None) -> bytes:
        encoded.append(image)
        return encode_png(image, profile)

    monkeypatch.setattr(reading, "encode_png", counted)
    picture = normal_form(noise("RGB", (9, 5)))
    assert (picture.image.size, encoded) == ((9, 5), [])
    assert read_picture(picture.png, "it").png == picture.png
    assert len(encoded) == 1


@pytest.mark.parametrize("mode", ["RGB", "RGBA"])
@pytest.mark.parametrize("size", [(1, 1), (7, 3), (1, 500_000), (300, 700)])
def test_an_own_file_is_decoded_as_pillow_decodes_it(mode: str, size: tuple[int, int]) -> None:
    image = Image.frombytes(mode, size, os.urandom(size[0] * size[1] * len(mode)))
    png = encode_png(image, b"a profile")

    own = decode_own(png)

    assert own is not None
    assert (own.mode, own.size, own.tobytes()) == (mode, size, image.tobytes())
    assert decode(png, "it").info["icc_profile"] == b"a profile"


def test_many_short_rows_take_little_longer_than_few_long_ones() -> None:
    tall, square = (encode_png(noise("RGB", size), None) for size in ((1, 1_000_000), (1000, 1000)))

    assert decoding_seconds(tall) < 40 * decoding_seconds(square)  # it was 200


def decoding_seconds(png: bytes) -> float:
    return min(timeit.repeat(lambda: decode_own(png), number=1, repeat=3))


def spoilt() -> Iterator[bytes]:
    """Files that differ from an own one in something."""
    image = Image.frombytes("RGB", (40, 30), os.urandom(3600))
    png = encode_png(image, None)
    for place in range(33, len(png), 97):  # `opened` has checked what is before
        yield png[:place] + bytes([png[place] ^ 255]) + png[place + 1 :]
    yield png[:-20]
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    yield buffer.getvalue()
    yield png[:33] + chunk(b"IDAT", b"not deflated") + chunk(b"IEND", b"")
    data = zlib.compress(bytes(121 * 31))  # one row more, of another filter
    yield png[:33] + chunk(b"IDAT", data) + chunk(b"IEND", b"")
    data = zlib.compress((b"\x02" + bytes(120)) * 31)
    yield png[:33] + chunk(b"IDAT", data) + chunk(b"IEND", b"")


def test_any_other_file_is_left_to_pillow() -> None:
    assert [decode_own(png) for png in spoilt()] == [None] * len([*spoilt()])


@pytest.mark.parametrize(("row_filter", "is_own"), [(2, True), (1, False)])
def test_a_large_file_of_one_chunk_is_inflated_in_steps(row_filter: int, is_own: bool) -> None:
    side = 4000
    rows = (bytes([row_filter]) + os.urandom(side * 3)) * side
    header = struct.pack(">IIBBBBB", side, side, 8, 2, 0, 0, 0)
    data = chunk(b"IDAT", zlib.compress(rows, 0))
    png = b"".join((SIGNATURE, chunk(b"IHDR", header), data, chunk(b"IEND", b"")))

    tracemalloc.start()
    image = decode_own(png)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert (image is not None) == is_own
    assert peak < 10_000_000  # beside the image, which Pillow allocates; the file has 48 MB
