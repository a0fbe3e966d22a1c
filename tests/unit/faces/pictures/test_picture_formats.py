"""Every format is read by path, URL and upload alike, with the colours that its profile means."""

import io
import itertools
import math
import struct
import time
import zlib

import pytest
from PIL import Image, ImageCms

from storycanvas.faces.errors import NotAPicture, PictureTooLarge
from storycanvas.faces.pictures.formats import CONTENT_TYPES, opened
from storycanvas.faces.pictures.reading import Picture, read_picture
from tests.support.icc import cmyk_profile, grey_profile, mixed, srgb, srgb_of_lab

SIZE = (64, 48)
RED = Image.new("RGB", SIZE, (200, 30, 40))
BLUE = Image.new("RGB", SIZE, (20, 30, 200))
SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
KINDS = {
    "JPEG": "jpg", "PNG": "png", "WEBP": "webp", "BMP": "bmp", "GIF": "gif", "TIFF": "tif",
    "AVIF": "avif", "HEIF": "heic",
}  # fmt: skip


def encoded(image: Image.Image, kind: str = "PNG", **options: object) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, format=kind, **options)
    return buffer.getvalue()


def pixel(picture: Picture, place: tuple[int, int] = (0, 0)) -> tuple[int, ...]:
    value = picture.image.getpixel(place)
    assert isinstance(value, tuple)
    return value


def near(seen: tuple[int, ...], due: tuple[int, ...], bound: int = 3) -> bool:
    return all(abs(a - b) <= bound for a, b in zip(seen, due, strict=True))


def png(kind: int, depth: int, row: bytes, transparent: bytes) -> bytes:
    """A PNG file of one row of two pixels, as Pillow itself does not write it."""

    def chunk(name: bytes, data: bytes) -> bytes:
        checksum = zlib.crc32(name + data)
        return struct.pack(">I", len(data)) + name + data + struct.pack(">I", checksum)

    head = struct.pack(">2I5B", 2, 1, depth, kind, 0, 0, 0)
    chunks = chunk(b"IHDR", head) + chunk(b"tRNS", transparent)
    pixels = chunk(b"IDAT", zlib.compress(b"\0" + row))
    return b"\x89PNG\r\n\x1a\n" + chunks + pixels + chunk(b"IEND", b"")


@pytest.mark.parametrize("kind", KINDS)
def test_each_format_is_read_and_named(kind: str) -> None:
    data = encoded(RED, kind, **({"quality": 95} if kind in {"AVIF", "HEIF", "JPEG"} else {}))

    picture = read_picture(data, "it")

    assert near(pixel(picture), (200, 30, 40), 6)
    assert picture.notes == ()
    assert KINDS[kind] in CONTENT_TYPES
    assert opened(io.BytesIO(data), "it").format == kind


@pytest.mark.parametrize("kind", ["PNG", "WEBP", "GIF", "AVIF", "TIFF"])
def test_of_several_frames_the_first_is_read_and_a_note_says_so(kind: str) -> None:
    picture = read_picture(encoded(RED, kind, save_all=True, append_images=[BLUE]), "face.x")

    assert near(pixel(picture), (200, 30, 40), 6)
    (note,) = picture.notes
    assert note.startswith("The picture face.x ")
    assert note.endswith("its first is used." if kind == "TIFF" else "its first frame is used.")


@pytest.mark.parametrize("kind", ["MPO", "HEIF"])
def test_a_second_picture_in_a_photo_is_no_animation(kind: str) -> None:
    data = encoded(RED, kind, save_all=True, append_images=[BLUE], quality=95)

    picture = read_picture(data, "it")

    assert near(pixel(picture), (200, 30, 40), 6)
    assert picture.notes == ()


def test_a_smaller_copy_in_a_tiff_is_no_page() -> None:
    small = RED.copy()
    small.encoderinfo = {"tiffinfo": {254: 1}}
    data = encoded(RED, "TIFF", save_all=True, append_images=[small])

    assert read_picture(data, "it").notes == ()


@pytest.mark.parametrize("inks", list(itertools.product((0, 255), repeat=4)))
@pytest.mark.parametrize("kind", ["TIFF", "JPEG"])
def test_cmyk_has_the_colours_of_its_profile(inks: tuple[int, ...], kind: str) -> None:
    image = Image.new("CMYK", (16, 16), inks)
    options = {"quality": 100} if kind == "JPEG" else {}

    picture = read_picture(encoded(image, kind, icc_profile=cmyk_profile(), **options), "it")

    assert near(pixel(picture), srgb_of_lab(mixed(*(ink / 255 for ink in inks))), 4)
    assert (picture.notes, picture.image.info) == ((), {})


@pytest.mark.parametrize("value", [0, 30, 128, 200, 255])
@pytest.mark.parametrize("mode", ["L", "LA", "I;16"])
def test_grey_has_the_tones_of_its_profile(value: int, mode: str) -> None:
    colour = {"L": value, "LA": (value, 90), "I;16": value * 257}[mode]
    image = Image.new(mode, (4, 4), colour)

    picture = read_picture(encoded(image, icc_profile=grey_profile(1.4)), "it")

    tone = srgb((value / 255) ** 1.4)
    assert near(pixel(picture)[:3], (tone, tone, tone))
    assert pixel(picture)[3:] == ((90,) if mode == "LA" else ())
    assert picture.image.info == {}


@pytest.mark.parametrize(
    "lab", [(100, 0, 0), (53, 80, 67), (30, 20, -60), (80, -40, 50), (0, 0, 0)]
)
def test_lab_becomes_srgb(lab: tuple[int, int, int]) -> None:
    light, a, b = lab
    image = Image.new("LAB", (4, 4), (round(light * 2.55), a + 128, b + 128))

    assert near(pixel(read_picture(encoded(image, "TIFF"), "it")), srgb_of_lab(lab), 4)


@pytest.mark.parametrize(
    ("image", "kind"),
    [
        (RED.quantize(4), "PNG"),
        (RED.convert("YCbCr"), "TIFF"),
        (RED.convert("L"), "JPEG"),
        (RED.convert("1"), "PNG"),
    ],
)
def test_other_modes_with_the_profile_of_srgb_keep_their_colours(
    image: Image.Image, kind: str
) -> None:
    plain = read_picture(encoded(image, kind), "it")
    marked = read_picture(encoded(image, kind, icc_profile=SRGB), "it")

    assert near(pixel(marked), pixel(plain), 1)
    assert marked.image.info == {}


@pytest.mark.parametrize(
    ("mode", "profile"),
    [
        ("L", b"no profile"),
        ("CMYK", b"no profile"),
        ("CMYK", cmyk_profile()[:300]),
        ("CMYK", SRGB),
        ("L", cmyk_profile()),
        ("YCbCr", grey_profile(1.8)),
        ("LAB", b"no profile"),
        ("P", b"\0" * 4000),
    ],
)
def test_a_profile_that_cannot_be_used_is_ignored_with_a_note(mode: str, profile: bytes) -> None:
    image = Image.new(mode, (4, 4))

    broken = read_picture(encoded(image, "TIFF", icc_profile=profile), "it")

    assert broken == read_picture(encoded(image, "TIFF"), "it")
    assert broken.notes[0].startswith("The colour profile of it cannot be used")


def test_cmyk_without_a_profile_is_read_with_a_note() -> None:
    picture = read_picture(encoded(Image.new("CMYK", (4, 4), (255, 0, 0, 0)), "JPEG"), "it")

    assert near(pixel(picture), (0, 255, 255), 4)
    assert "CMYK without a colour profile" in picture.notes[0]


@pytest.mark.parametrize(
    ("data", "due"),
    [
        (png(2, 8, bytes([1, 2, 3, 4, 5, 6]), b"\0\1\0\2\0\3"), [(1, 2, 3, 0), (4, 5, 6, 255)]),
        (
            png(2, 16, struct.pack(">6H", 256, 512, 768, 4096, 4, 5), b"\1\0\2\0\3\0"),
            [(1, 2, 3, 0), (16, 0, 0, 255)],
        ),
        (png(0, 8, bytes([7, 8]), b"\0\7"), [(7, 7, 7, 0), (8, 8, 8, 255)]),
        (
            png(0, 16, struct.pack(">2H", 4660, 4661), b"\x12\x34"),
            [(18, 18, 18, 0), (18, 18, 18, 255)],
        ),
        (png(0, 4, b"\x12", b"\0\1"), [(17, 17, 17, 0), (34, 34, 34, 255)]),
        (png(0, 2, b"\x60", b"\0\1"), [(85, 85, 85, 0), (170, 170, 170, 255)]),
        (png(0, 1, b"\x40", b"\0\1"), [(0, 0, 0, 255), (255, 255, 255, 0)]),
    ],
    ids=["RGB 8", "RGB 16", "grey 8", "grey 16", "grey 4", "grey 2", "grey 1"],
)  # fmt: skip
def test_the_transparent_colour_of_a_png_becomes_alpha(
    data: bytes, due: list[tuple[int, ...]]
) -> None:
    picture = read_picture(data, "it")

    assert [pixel(picture, (x, 0)) for x in (0, 1)] == due


@pytest.mark.parametrize(
    ("mode", "values", "due"),
    [
        ("I", (0, 128, 255), (0, 128, 255)),
        ("I", (0, 0x8000, 0xFFFF), (0, 128, 255)),
        ("I", (0, 300, 256), (0, 1, 1)),
        ("I", (-1000, 0, 1000), (0, 128, 255)),
        ("I", (-(2**31), 0, 2**31 - 1), (0, 128, 255)),
        ("F", (0.0, 0.5, 1.0), (0, 128, 255)),
        ("F", (0.0, 128.0, 255.0), (0, 128, 255)),
        ("F", (-0.5, 0.5, 1.5), (0, 128, 255)),
        ("F", (math.nan, 0.25, math.inf), (64, 64, 64)),
        ("F", (-math.inf, 0.0, 1000.0), (0, 0, 255)),
        ("F", (math.nan, math.nan, math.inf), (0, 0, 0)),
        ("F", (-3e38, 0.0, 3e38), (0, 128, 255)),
        ("F", (-7.0, -7.0, -7.0), (0, 0, 0)),
    ],
)
def test_grey_of_32_bits_keeps_its_tones_and_has_a_note(
    mode: str, values: tuple[float, ...], due: tuple[int, ...]
) -> None:
    image = Image.new(mode, (3, 1))
    image.putdata(values)

    picture = read_picture(encoded(image, "TIFF"), "scan.tif")

    assert [pixel(picture, (x, 0)) for x in range(3)] == [(tone,) * 3 for tone in due]
    if mode == "I" and min(values) >= 0 and max(values) <= 255:
        assert picture.notes == ()
    else:
        (note,) = picture.notes
        assert note.startswith("The picture scan.tif has grey values of 32 bits, from ")


def test_rgb_keeps_its_profile_and_pixels_with_a_transparent_colour() -> None:
    data = encoded(RED, icc_profile=SRGB, transparency=(200, 30, 40))

    picture = read_picture(data, "it")

    assert (pixel(picture), picture.image.info) == ((200, 30, 40, 0), {"icc_profile": SRGB})


@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "TIFF"])
def test_each_format_is_set_upright(kind: str) -> None:
    image = Image.new("RGB", (64, 32))
    image.paste((255, 255, 255), (0, 0, 32, 32))
    exif = Image.Exif()
    exif[0x0112] = 6

    picture = read_picture(encoded(image, kind, exif=exif.tobytes()), "it")

    top, bottom = pixel(picture, (16, 8)), pixel(picture, (16, 56))
    turned = (picture.width, picture.height) == (32, 64)
    assert turned
    assert min(top) > 240
    assert max(bottom) < 15


@pytest.mark.filterwarnings("ignore:Corrupt EXIF", "ignore:Truncated File")
@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "JPEG", "TIFF", "WEBP", "GIF"])
def test_a_file_that_is_cut_off_anywhere_is_refused(kind: str) -> None:
    data = encoded(Image.effect_noise((64, 64), 90).convert("RGB"), kind)

    for length in (12, 40, 200, len(data) // 2, len(data) - 300):
        with pytest.raises(NotAPicture, match=r"damaged|not a picture"):
            read_picture(data[:length], "it")


def test_a_heic_file_that_claims_fewer_pixels_than_it_has_is_refused() -> None:
    data = encoded(Image.new("RGB", (512, 512)), "HEIF")
    claim = b"ispe" + bytes(4) + struct.pack(">2I", 512, 512)
    assert claim in data

    with pytest.raises(NotAPicture, match="damaged"):
        read_picture(data.replace(claim, claim[:8] + struct.pack(">2I", 64, 64)), "it")


@pytest.mark.parametrize("kind", ["HEIF", "AVIF", "WEBP", "GIF"])
def test_too_many_pixels_are_refused_before_they_are_decoded(kind: str) -> None:
    data = encoded(Image.new("RGB", (300, 300)), kind)
    started = time.process_time()

    with pytest.raises(PictureTooLarge, match="300 x 300 pixels; at most 89,999"):
        read_picture(data, "it", max_pixels=89_999)

    assert time.process_time() - started < 0.1
