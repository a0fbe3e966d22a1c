"""Reading a picture safely and turning it into the one form that is hashed, sent and stored."""

import hashlib
import io
import struct
from dataclasses import dataclass

from PIL import ExifTags, Image, UnidentifiedImageError

from storycanvas.faces.errors import NotAPicture, PictureTooLarge

MAX_BYTES = 30 * 1024 * 1024
MAX_PIXELS = 50_000_000
READ_FORMATS = ("JPEG", "PNG", "WEBP", "BMP", "GIF", "TIFF")
"""Formats that are opened at all; Pillow's own list reaches outside programs and rare decoders."""
_TURNS = {
    2: Image.Transpose.FLIP_LEFT_RIGHT,
    3: Image.Transpose.ROTATE_180,
    4: Image.Transpose.FLIP_TOP_BOTTOM,
    5: Image.Transpose.TRANSPOSE,
    6: Image.Transpose.ROTATE_270,
    7: Image.Transpose.TRANSVERSE,
    8: Image.Transpose.ROTATE_90,
}
"""What sets a picture upright, by its EXIF orientation."""
_COLOUR_MODES = {"RGB", "RGBA", "P"}
"""Modes whose ICC profile still describes the pixels after conversion to RGB."""


@dataclass(frozen=True)
class Picture:
    """A picture in normal form: PNG, 8-bit RGB or RGBA, upright, no metadata but the ICC profile.

    Attributes:
        png: The encoded file.
        width: Pixels.
        height: Pixels.
        sha256: Hash over size, mode, pixels and ICC profile, so that the same pixels have the same
            hash however they were encoded and whatever metadata they carried.
    """

    png: bytes
    width: int
    height: int
    sha256: str

    @property
    def asset_name(self) -> str:
        """Name of the encoded file by its own bytes, as a host stores it."""
        return f"{hashlib.sha256(self.png).hexdigest()}.png"


def read_picture(
    data: bytes, name: str, *, max_bytes: int = MAX_BYTES, max_pixels: int = MAX_PIXELS
) -> Picture:
    """Decode a picture of unknown origin and bring it into normal form.

    Args:
        data: The file's bytes.
        name: What to call the picture in an error message.
        max_bytes: Largest file accepted.
        max_pixels: Largest width x height accepted; checked before anything is decoded.

    Raises:
        PictureTooLarge: Too many bytes or pixels.
        NotAPicture: The bytes are not a picture, or a damaged one.
    """
    if len(data) > max_bytes:
        raise PictureTooLarge(
            f"The picture {name} has {len(data):,} bytes; at most {max_bytes:,} are read."
        )
    image = decode(data, name, max_pixels)
    return normal_form(image)


def decode(data: bytes, name: str, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode the first frame, upright, after checking its size; raises as `read_picture` does."""
    try:
        image = Image.open(io.BytesIO(data), formats=READ_FORMATS)
        width, height = image.size
        if width * height > max_pixels:
            raise PictureTooLarge(
                f"The picture {name} is {width} x {height} pixels; at most "
                f"{max_pixels:,} pixels are read. Scale it down first."
            )
        image.load()
        return _upright(image)
    except (Image.DecompressionBombError, Image.DecompressionBombWarning) as error:
        raise PictureTooLarge(f"The picture {name} has too many pixels: {error}.") from error
    except UnidentifiedImageError as error:
        raise NotAPicture(
            f"{name} is not a picture that can be read; send a JPEG, PNG or WebP file."
        ) from error
    except (OSError, SyntaxError, ValueError, EOFError) as error:
        raise NotAPicture(
            f"The picture {name} is damaged and cannot be decoded ({error}); export it again."
        ) from error


def _upright(image: Image.Image) -> Image.Image:
    """Turn a picture according to its EXIF data; damaged data leaves it unturned."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except (struct.error, OSError, SyntaxError, ValueError, KeyError, TypeError, EOFError):
        return image
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def normal_form(image: Image.Image) -> Picture:
    """Bring a decoded picture into normal form."""
    profile = image.info.get("icc_profile") if image.mode in _COLOUR_MODES else None
    if image.mode not in {"RGB", "RGBA"}:
        has_alpha = "A" in image.getbands() or "transparency" in image.info
        image = _eight_bit(image).convert("RGBA" if has_alpha else "RGB")
    options = {"icc_profile": profile} if profile else {"icc_profile": None}
    buffer = io.BytesIO()
    Image.frombytes(image.mode, image.size, image.tobytes()).save(
        buffer, format="PNG", compress_level=1, **options
    )
    return Picture(buffer.getvalue(), image.width, image.height, pixel_hash(image, profile))


def pixel_hash(image: Image.Image, profile: bytes | None) -> str:
    """Hash what a picture shows, not how it is encoded."""
    digest = hashlib.sha256(f"{image.mode} {image.width} {image.height}\n".encode())
    digest.update(image.tobytes())
    digest.update(profile or b"")
    return digest.hexdigest()


def _eight_bit(image: Image.Image) -> Image.Image:
    """Scale 16-bit grey to 8 bits; Pillow's own conversion clips it to white."""
    if image.mode.startswith("I;16"):
        return image.convert("I").point(lambda value: value / 256).convert("L")
    return image
