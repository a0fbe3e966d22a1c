"""Pictures are read by content, brought into one form, and hashed by what they show."""

import io
import random
import struct
from contextlib import suppress

import pytest
from PIL import Image, ImageOps

from storycanvas.faces.errors import FaceError, NotAPicture, PictureTooLarge
from storycanvas.faces.pictures.formats import READ_FORMATS, pixels_in
from storycanvas.faces.pictures.reading import Picture, read_picture

ORIENTATION = 0x0112


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


@pytest.fixture
def colours() -> Image.Image:
    image = Image.new("RGB", (6, 4))
    image.putdata([(x * 40, y * 60, 90) for y in range(4) for x in range(6)])
    return image


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "BMP", "TIFF", "GIF", "JPEG"])
def test_a_picture_of_any_kind_becomes_a_png(colours: Image.Image, kind: str) -> None:
    picture = read_picture(encoded(colours, kind), "it")

    assert Image.open(io.BytesIO(picture.png)).format == "PNG"
    assert (picture.width, picture.height) == (6, 4)


@pytest.mark.parametrize(
    ("mode", "expected"),
    [("L", "RGB"), ("P", "RGB"), ("1", "RGB"), ("LA", "RGBA"), ("RGBA", "RGBA")],
)
def test_every_mode_becomes_eight_bit_colour(mode: str, expected: str) -> None:
    picture = read_picture(encoded(Image.new(mode, (2, 2))), "it")

    assert Image.open(io.BytesIO(picture.png)).mode == expected


def test_sixteen_bit_grey_keeps_its_tones() -> None:
    grey = Image.new("I;16", (1, 1), 0x8000)

    picture = read_picture(encoded(grey), "it")

    assert Image.open(io.BytesIO(picture.png)).getpixel((0, 0)) == (128, 128, 128)


def test_the_orientation_is_applied(colours: Image.Image) -> None:
    exif = Image.Exif()
    exif[ORIENTATION] = 6

    picture = read_picture(encoded(colours, exif=exif), "it")

    assert (picture.width, picture.height) == (4, 6)


def test_metadata_is_dropped_but_the_icc_profile(colours: Image.Image) -> None:
    exif = Image.Exif()
    exif[0x010E] = "a private note"

    picture = read_picture(encoded(colours, exif=exif, icc_profile=b"profile"), "it")

    assert b"private" not in picture.png
    assert Image.open(io.BytesIO(picture.png)).info["icc_profile"] == b"profile"


def test_the_hash_is_that_of_the_pixels_not_of_the_file(colours: Image.Image) -> None:
    quick, small = (read_picture(encoded(colours, compress_level=level), "it") for level in (0, 9))
    other = colours.copy()
    other.putpixel((0, 0), (1, 2, 3))

    assert quick.sha256 == small.sha256
    assert quick.sha256 != read_picture(encoded(other), "it").sha256


def test_the_same_bytes_in_another_shape_are_another_picture() -> None:
    wide, tall = (read_picture(encoded(Image.new("RGB", size)), "it") for size in ((4, 2), (2, 4)))

    assert wide.sha256 != tall.sha256


@pytest.mark.parametrize(
    "data",
    [b"", b"hello, I am a text file", b"\x89PNG\r\n\x1a\n", b"GIF89a", b"%PDF-1.7", b"<svg/>"],
)
def test_what_is_no_picture_is_refused_by_name(data: bytes) -> None:
    with pytest.raises(NotAPicture, match=r"notes\.txt"):
        read_picture(data, "notes.txt")


def test_a_truncated_picture_is_refused(colours: Image.Image) -> None:
    data = encoded(colours.resize((300, 300)))

    with pytest.raises(NotAPicture, match="damaged"):
        read_picture(data[: len(data) // 2], "it")


def test_too_many_bytes_are_refused(colours: Image.Image) -> None:
    with pytest.raises(PictureTooLarge, match="at most 10 are read"):
        read_picture(encoded(colours), "it", max_bytes=10)


def test_too_many_pixels_are_refused_before_they_are_decoded() -> None:
    bomb = encoded(Image.new("1", (8_000, 8_000)))

    with pytest.raises(PictureTooLarge, match="pixels"):
        read_picture(bomb, "it")


def test_a_grey_profile_does_not_stay_on_a_colour_picture() -> None:
    picture = read_picture(encoded(Image.new("L", (2, 2)), icc_profile=b"grey"), "it")

    assert "icc_profile" not in Image.open(io.BytesIO(picture.png)).info


@pytest.mark.parametrize("orientation", range(1, 9))
def test_every_orientation_is_set_upright(orientation: int) -> None:
    colours = Image.new("RGB", (3, 2))
    colours.putdata([(40 * index, 0, 0) for index in range(6)])
    exif = Image.Exif()
    exif[ORIENTATION] = orientation
    data = encoded(colours, exif=exif)

    picture = read_picture(data, "it")

    upright = ImageOps.exif_transpose(Image.open(io.BytesIO(data)))
    assert read_back(picture) == (upright.size, upright.tobytes())


# Its description has a tag that text cannot have, so that it cannot be written again.
DAMAGED_EXIF = (
    b"Exif\0\0MM\0*\0\0\0\x08\0\x03\x01\t\0\x02\0\0\0\x05\0\0\x002\x01\x12\0\x03\0\0\0\x01"
    b"\0\x06\0\0\x87i\0\x04\0\0\0\x01\0\0\x008\0\0\0\0note\0\0\0\x01\x90\x03\0\x02\0\0\0\x05"
    b"\0\0\0J\0\0\0\x002020\0\0"
)


def test_a_picture_with_damaged_exif_data_is_read(colours: Image.Image) -> None:
    picture = read_picture(encoded(colours, "JPEG", exif=DAMAGED_EXIF), "it")

    assert (picture.width, picture.height) == (4, 6)


def damaged_avif(way: str) -> bytes:
    """A file whose item list is gone, or a sequence without a time scale."""
    image = Image.new("RGB", (8, 8))
    if way == "item":
        return encoded(image, "AVIF").replace(b"iloc", b"none", 1)
    data = encoded(image, "AVIF", save_all=True, append_images=[image.rotate(90), image])
    scale = data.index(b"mdhd") + 24
    return data[:scale] + bytes(4) + data[scale + 4 :]


@pytest.mark.parametrize("way", ["item", "sequence"])
def test_a_damaged_avif_is_refused_and_its_header_counts_nothing(way: str) -> None:
    data = damaged_avif(way)

    assert pixels_in(io.BytesIO(data)) == (0 if way == "item" else 64)
    with pytest.raises(NotAPicture, match="damaged"):
        read_picture(data, "it")


def test_a_tiff_with_a_damaged_second_page_is_read() -> None:
    image = Image.new("RGB", (6, 4), (9, 8, 7))
    data = bytearray(encoded(image, "TIFF", save_all=True, append_images=[image]))
    (first,) = struct.unpack_from("<I", data, 4)
    (entries,) = struct.unpack_from("<H", data, first)
    (second,) = struct.unpack_from("<I", data, first + 2 + 12 * entries)
    struct.pack_into("<H", data, second + 2, 0)  # its first entry was the width

    picture = read_picture(bytes(data), "it")

    assert (picture.image.getpixel((0, 0)), picture.notes) == ((9, 8, 7), ())


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("kind", [*READ_FORMATS, "MPO", "TIFF LZW", "AVIF sequence"])
def test_a_file_with_changed_bytes_is_read_or_refused(kind: str) -> None:
    choose = random.Random(kind)  # noqa: S311
    image = Image.frombytes("RGB", (12, 8), choose.randbytes(288))
    frames = {"save_all": True, "append_images": [image.rotate(180)]}
    options = {"TIFF LZW": {"compression": "tiff_lzw"}, "AVIF sequence": frames, "TIFF": frames}
    data = encoded(image, kind.split(maxsplit=1)[0], **options.get(kind, {}))
    for _ in range(300):
        changed = bytearray(data)
        for _ in range(choose.choice((1, 1, 3))):
            # Most of what a reader trusts is in the first bytes.
            end = choose.choice((64, 600, len(data)))
            changed[choose.randrange(min(end, len(data)))] = choose.randrange(256)

        pixels_in(io.BytesIO(changed))
        with suppress(FaceError):
            assert read_picture(bytes(changed), "it").image.mode in {"RGB", "RGBA"}


def read_back(picture: Picture) -> tuple[tuple[int, int], bytes]:
    with Image.open(io.BytesIO(picture.png)) as image:
        return image.size, image.tobytes()
