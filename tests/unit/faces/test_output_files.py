"""The file of an output in each format: profile and provenance inside, pixels encoded once."""

import io
from datetime import UTC, datetime

import pytest
from PIL import Image, ImageCms

from storycanvas.faces.contract import OperationAnswer
from storycanvas.faces.errors import FaceError, OutOfRange, PictureTooLarge
from storycanvas.faces.operation_key import operation_key
from storycanvas.faces.operations import (
    OPERATIONS,
    DetectOperation,
    EnhanceOperation,
    MaskedOperation,
    SwapOperation,
)
from storycanvas.faces.pictures.output_files import encoded, require_writable
from storycanvas.faces.pictures.provenance import (
    provenance,
    read_provenance,
    with_provenance,
    without_provenance,
)
from storycanvas.faces.pictures.reading import Picture, normal_form
from tests.support.paths import PORTRAIT

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
ANSWER = OperationAnswer(
    output_path="asset:x.jpg", processing_time_seconds=0.1, engine="facefusion",
    engine_version="3.8.1", completed_at=datetime(2026, 11, 21, 12, tzinfo=UTC),
    used={"note": """a "quoted" <value> & more: äöü"""},
)  # fmt: skip


def made(mode: str = "RGB", size: tuple[int, int] = (64, 48), alpha: int = 100) -> Picture:
    image = Image.open(PORTRAIT).convert("RGB").resize(size)
    if mode == "RGBA":
        image.putalpha(alpha)
    image.info = {"icc_profile": PROFILE, "comment": b"a stranger's", "exif": b"Exif\0\0x"}
    return normal_form(image)


def asking(output_format: str, quality: int = 90) -> EnhanceOperation:
    return EnhanceOperation.model_validate(
        {"output_format": output_format, "output_quality": quality}
    )


@pytest.mark.parametrize(
    ("asked", "kind", "extension"),
    [("png", "PNG", "png"), ("jpeg", "JPEG", "jpg"), ("webp", "WEBP", "webp")],
)
@pytest.mark.parametrize("profile", [PROFILE, None], ids=["profile", "no profile"])
def test_a_file_has_its_format_profile_and_provenance(
    asked: str, kind: str, extension: str, profile: bytes | None
) -> None:
    picture = made()
    picture.image.info["icc_profile"] = profile
    output = encoded(asking(asked), picture)
    statement = provenance(asking(asked), ["abc"], ANSWER)
    marked = with_provenance(output, statement)
    with Image.open(io.BytesIO(marked)) as image, Image.open(io.BytesIO(output.file)) as plain:
        assert (image.format, image.size) == (kind, (64, 48))
        assert image.info.get("icc_profile") == profile
        assert not {"exif", "comment"} & image.info.keys()
        assert image.tobytes() == plain.tobytes()
    assert output.extension == extension
    assert read_provenance(marked) == statement
    assert b"digitalsourcetype/compositeWithTrainedAlgorithmicMedia" in marked
    assert without_provenance(marked, extension) == output.file
    assert read_provenance(output.file) is None


def test_a_webp_file_keeps_transparency_with_and_without_provenance() -> None:
    output = encoded(asking("webp"), made("RGBA"))
    marked = with_provenance(output, provenance(asking("webp"), [], ANSWER))
    with Image.open(io.BytesIO(marked)) as image:
        assert image.mode == "RGBA"
        assert image.getchannel("A").getextrema() == (100, 100)
    assert without_provenance(marked, "webp") == output.file


def test_the_quality_is_the_encoders() -> None:
    sizes = [len(encoded(asking("jpeg", quality), made()).file) for quality in (20, 60, 95)]
    assert sizes == sorted(set(sizes))


def test_png_is_what_the_engine_gave() -> None:
    picture = made()
    assert encoded(asking("png"), picture) is picture


HUGE = bytes(32 * 1024 * 1024)


def with_profile(profile: bytes) -> Picture:
    picture = made()
    picture.image.info["icc_profile"] = profile
    return picture


@pytest.mark.parametrize(
    ("asked", "picture", "error", "remedy"),
    [
        ("jpeg", made("RGBA"), OutOfRange, "take png or webp"),
        ("webp", made(size=(16_384, 1)), OutOfRange, "16,383 pixels a side"),
        ("jpeg", made(size=(1, 65_501)), OutOfRange, "take png, or scale it down"),
        ("png", with_profile(HUGE), PictureTooLarge, "convert it to sRGB"),
        ("jpeg", with_profile(HUGE[: 17 * 1024 * 1024]), PictureTooLarge, "convert it to sRGB"),
    ],
    ids=["alpha", "webp side", "jpeg side", "png profile", "jpeg profile"],
)
def test_what_a_format_cannot_hold_is_refused_with_the_remedy(
    asked: str, picture: Picture, error: type[FaceError], remedy: str
) -> None:
    with pytest.raises(error, match=remedy):
        require_writable(asking(asked), picture)


@pytest.mark.parametrize(
    ("asked", "picture"),
    [
        ("png", made("RGBA", (16_384, 1))),
        ("jpeg", made("RGBA", alpha=255)),
        ("jpeg", made(size=(65_500, 1))),
        ("webp", made("RGBA", (16_383, 1))),
    ],
    ids=["png", "opaque alpha", "jpeg side", "webp side"],
)
def test_what_a_format_can_hold_is_written(asked: str, picture: Picture) -> None:
    require_writable(asking(asked), picture)
    with Image.open(io.BytesIO(encoded(asking(asked), picture).file)) as image:
        assert image.size == (picture.width, picture.height)


def test_a_message_names_the_field_of_the_picture_that_is_worked_on() -> None:
    operation = SwapOperation.model_validate({"output_format": "jpeg"})
    with pytest.raises(OutOfRange, match="target_image_path"):
        require_writable(operation, made("RGBA"))
    require_writable(DetectOperation(), made("RGBA"))


def test_the_default_is_neither_stored_nor_sent_nor_part_of_a_key() -> None:
    keys = set()
    for fields in ({}, {"output_format": "png"}, {"output_quality": 90}):
        operation = EnhanceOperation.model_validate(fields)
        assert not {"output_format", "output_quality"} & operation.model_dump().keys()
        keys.add(operation_key(operation, ["a"], "preview", "1"))
    assert len(keys) == 1
    keys |= {operation_key(asking("jpeg", q), ["a"], "preview", "1") for q in (80, 90)}
    assert len(keys) == 3


@pytest.mark.parametrize(
    "fields", [{"output_format": "gif"}, {"output_quality": 80}, {"output_quality": 0}]
)
@pytest.mark.parametrize("kind", [kind for kind in OPERATIONS if issubclass(kind, MaskedOperation)])
def test_a_wrong_format_or_quality_is_refused(
    kind: type[MaskedOperation], fields: dict[str, object]
) -> None:
    needed = {"target_age": 30} if "target_age" in kind.model_fields else {}
    with pytest.raises(ValueError, match="output_"):
        kind.model_validate({**needed, **fields})
