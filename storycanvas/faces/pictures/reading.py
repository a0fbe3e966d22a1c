"""Reading a picture safely and turning it into the one form that is hashed, sent and stored."""

import hashlib
import io
from typing import IO

from PIL import ExifTags, Image

from storycanvas.faces.errors import PictureTooLarge
from storycanvas.faces.pictures.colours import rgb_form
from storycanvas.faces.pictures.formats import (
    DAMAGES,
    MAX_PIXELS,
    note_on_frames,
    opened,
    pixels_in,
    refused,
)
from storycanvas.faces.pictures.png_files import decode_own, encode_png, is_plain

MAX_BYTES = 30 * 1024 * 1024
_ALLOWED_BYTES_A_PIXEL = 5
"""Of a file that is read: RGBA without compression takes four, and each row one more."""
_BYTES_BESIDE = 1024 * 1024
MAX_FILE_BYTES = _ALLOWED_BYTES_A_PIXEL * MAX_PIXELS + _BYTES_BESIDE
"""Most bytes that any file may have: what a host makes of an accepted picture is accepted again."""
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


class Picture:
    """A picture in normal form: 8-bit RGB or RGBA, upright, no metadata but the ICC profile.

    It has its pixels or its file at hand and makes the other when it is asked for, a PNG file.
    `compact` forgets the pixels, which take several times the memory, once nothing needs them any
    more. Two pictures are equal when their hashes are.

    Attributes:
        width: Pixels.
        height: Pixels.
        notes: What a person should know about how its file was read, in sentences.
        extension: Of its file: `png`, `jpg` or `webp`.
    """

    notes: tuple[str, ...] = ()

    def __init__(
        self, file: bytes, width: int, height: int, sha256: str, extension: str = "png"
    ) -> None:
        """Take the file of a picture in normal form, as it is."""
        self.width = width
        self.height = height
        self._sha256 = sha256
        self.extension = extension
        self._file: bytes | None = file
        self._image: Image.Image | None = None
        self._asset_name = ""

    @classmethod
    def of_image(cls, image: Image.Image) -> "Picture":
        """Take the pixels of an RGB or RGBA image and the ICC profile in its `info`."""
        picture = cls(b"", image.width, image.height, "")
        picture._file, picture._image = None, image
        return picture

    @property
    def sha256(self) -> str:
        """Hash over size, mode, pixels and ICC profile.

        The same pixels have the same hash however they were encoded and whatever metadata they
        carried. It is computed when it is asked for first: on a host the GPU would wait for it.
        """
        if not self._sha256:
            image = self.image
            self._sha256 = pixel_hash(image, image.info.get("icc_profile"))
        return self._sha256

    @property
    def file(self) -> bytes:
        """The encoded file."""
        if self._file is None:
            self._file = self._encoded()
        return self._file

    @property
    def png(self) -> bytes:
        """The file, encoded anew each time where it is no PNG."""
        return self.file if self.extension == "png" else self._encoded()

    def _encoded(self) -> bytes:
        image = self.image
        return encode_png(image, image.info.get("icc_profile"))

    @property
    def image(self) -> Image.Image:
        """The pixels, not to be changed; decoded anew each time once only the file is there."""
        if self._image is not None:
            return self._image
        name = "a picture in normal form"
        return rgb_form(decode(self.file, name, self.width * self.height), name)[0]

    @property
    def has_pixels(self) -> bool:
        """Whether the pixels are at hand, so that `image` decodes nothing."""
        return self._image is not None

    @property
    def asset_name(self) -> str:
        """Name of the encoded file by its own bytes, as a host stores it."""
        if not self._asset_name:
            self._asset_name = f"{hashlib.sha256(self.file).hexdigest()}.{self.extension}"
        return self._asset_name

    def keep_file(self, file: bytes, extension: str = "png") -> None:
        """Take a file of the same pixels and profile, so that none is encoded."""
        self._file, self.extension = file, extension

    def decoded(self) -> "Picture":
        """Return the same picture with its pixels and without its file."""
        picture = Picture(b"", self.width, self.height, self._sha256)
        picture._file, picture._image = None, self.image
        picture.notes = self.notes
        return picture

    def compact(self) -> "Picture":
        """Forget the pixels where the file is at hand; return the picture itself."""
        if self._file is not None:
            self._sha256 = self.sha256  # from the pixels, as long as they are there
            self._image = None
        return self

    def __eq__(self, other: object) -> bool:
        return (
            isinstance(other, Picture)
            and (self.width, self.height) == (other.width, other.height)
            and self.sha256 == other.sha256
        )

    def __hash__(self) -> int:
        return hash(self.sha256)


def allowed_bytes(pixels: int) -> int:
    """Return the most bytes of a file with so many pixels.

    A file may be as large as its pixels are: a noisy photo of 24 megapixels, written without loss,
    has more than `MAX_BYTES`. What exceeds both carries something else.
    """
    return max(MAX_BYTES, _ALLOWED_BYTES_A_PIXEL * pixels + _BYTES_BESIDE)


def require_in_proportion(file: IO[bytes], size: int, name: str) -> int:
    """Return the most bytes of a file by its header, of which no pixels are decoded.

    Raises:
        PictureTooLarge: It has more already.
    """
    most = MAX_BYTES
    if size > MAX_BYTES:
        most = allowed_bytes(min(pixels_in(file), MAX_PIXELS))
    if size > most:
        raise PictureTooLarge(f"{name} has {size:,} bytes; at most {most:,} are read.")
    return most


class GrowingFile:
    """A picture's file whose bytes come one after another, and no more than its header justifies.

    Args:
        file: Empty, for reading and writing.
        name: What to call it in an error message.
    """

    def __init__(self, file: IO[bytes], name: str) -> None:
        self._file = file
        self._name = name
        self._size = 0
        self._most = MAX_BYTES

    def write(self, piece: bytes) -> None:
        """Write the next bytes; `PictureTooLarge` if they are too many."""
        self._size += len(piece)
        self._file.write(piece)
        if self._size > self._most:
            self._most = require_in_proportion(self._file, self._size, self._name)
            self._file.seek(0, io.SEEK_END)


def read_picture(
    data: bytes, name: str, *, max_bytes: int | None = None, max_pixels: int = MAX_PIXELS
) -> Picture:
    """Decode a picture of unknown origin and bring it into normal form.

    Args:
        data: The file's bytes.
        name: What to call the picture in an error message.
        max_bytes: Largest file accepted; None takes `allowed_bytes` of its pixels.
        max_pixels: Largest width x height accepted; checked before anything is decoded.

    Raises:
        PictureTooLarge: Too many bytes or pixels.
        NotAPicture: The bytes are not a picture, or a damaged one.
    """
    if max_bytes is None:
        require_in_proportion(io.BytesIO(data), len(data), f"The picture {name}")
    elif len(data) > max_bytes:
        raise PictureTooLarge(
            f"The picture {name} has {len(data):,} bytes; at most {max_bytes:,} are read."
        )
    with refused(name):
        frames = note_on_frames(opened(io.BytesIO(data), name, max_pixels), name)
        plain, colours = rgb_form(decode(data, name, max_pixels), name, own=True)
        picture = Picture.of_image(plain)
        picture.notes = tuple(note for note in (frames, colours) if note)
    if is_plain(data):
        picture.keep_file(data)
    return picture


def decode(data: bytes, name: str, max_pixels: int = MAX_PIXELS) -> Image.Image:
    """Decode the first frame, upright, after checking its size; raises as `read_picture` does."""
    with refused(name):
        image = opened(io.BytesIO(data), name, max_pixels)
        own = decode_own(data)
        if own is not None:
            own.info = image.info
            return own
        image.load()
        return _upright(image)


def _upright(image: Image.Image) -> Image.Image:
    """Turn a picture according to its EXIF data; damaged data leaves it unturned."""
    try:
        orientation = image.getexif().get(ExifTags.Base.Orientation)
    except DAMAGES:
        return image
    turn = _TURNS.get(orientation) if isinstance(orientation, int) else None
    return image if turn is None else image.transpose(turn)


def normal_form(image: Image.Image) -> Picture:
    """Bring a decoded picture into normal form; nothing is encoded before its file is needed."""
    plain, _ = rgb_form(image, "it")
    return Picture.of_image(plain)


_HASHED_ROWS = 256


def pixel_hash(image: Image.Image, profile: bytes | None) -> str:
    """Hash what a picture shows, not how it is encoded."""
    digest = hashlib.sha256(f"{image.mode} {image.width} {image.height}\n".encode())
    for top in range(0, image.height, _HASHED_ROWS):
        bottom = min(top + _HASHED_ROWS, image.height)
        digest.update(image.crop((0, top, image.width, bottom)).tobytes())
    digest.update(profile or b"")
    return digest.hexdigest()
