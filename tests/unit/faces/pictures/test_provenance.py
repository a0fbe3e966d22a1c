"""Every output states that it is an AI edit, of what, how and by which engine."""

import io
from datetime import UTC, datetime

import pytest
from PIL import Image

from storycanvas.faces.contract import OperationAnswer
from storycanvas.faces.operations import AgeAdjustOperation
from storycanvas.faces.pictures.provenance import provenance, read_provenance, with_provenance
from storycanvas.faces.pictures.reading import Picture, normal_form, read_picture

PREVIEW = OperationAnswer(
    output_path="asset:x.png",
    processing_time_seconds=0.1,
    engine="preview",
    engine_version="1",
    completed_at=datetime(2026, 11, 21, 12, tzinfo=UTC),
)


@pytest.fixture
def picture() -> Picture:
    image = Image.new("RGB", (4, 4), (10, 20, 30))
    image.info["icc_profile"] = b"profile"
    return normal_form(image)


def statement_of(answer: OperationAnswer = PREVIEW) -> dict[str, object]:
    return provenance(AgeAdjustOperation(target_age=45), ["abc"], answer)


def test_the_statement_can_be_read_back_from_the_file(picture: Picture) -> None:
    statement = read_provenance(with_provenance(picture, statement_of()))

    assert statement == statement_of()
    assert statement["ai_edit"] is True
    assert statement["operation"] == "age_adjust"
    assert statement["parameters"]["target_age"] == 45
    assert statement["input_sha256"] == ["abc"]
    assert statement["created_at"] == "2026-11-21T12:00:00+00:00"


def test_pixels_and_icc_profile_stay(picture: Picture) -> None:
    again = read_picture(with_provenance(picture, statement_of()), "it")

    assert again.sha256 == picture.sha256


def test_writing_the_same_statement_twice_gives_the_same_bytes(picture: Picture) -> None:
    assert with_provenance(picture, statement_of()) == with_provenance(picture, statement_of())


@pytest.mark.parametrize(
    ("engine", "kind"),
    [
        ("facefusion", b"digitalsourcetype/compositeWithTrainedAlgorithmicMedia"),
        ("preview", b"digitalsourcetype/algorithmicallyEnhanced"),
    ],
)
def test_other_programs_find_the_iptc_source_type(
    picture: Picture, engine: str, kind: bytes
) -> None:
    statement = statement_of(PREVIEW.model_copy(update={"engine": engine}))

    assert kind in with_provenance(picture, statement)


def test_a_picture_without_a_statement_has_none(picture: Picture) -> None:
    assert read_provenance(picture.png) is None


def test_the_file_is_a_png(picture: Picture) -> None:
    assert Image.open(io.BytesIO(with_provenance(picture, statement_of()))).format == "PNG"


def test_models_and_values_really_used_are_stated() -> None:
    answer = PREVIEW.model_copy(
        update={"models": ("fran",), "used": {"age_modifier_direction": 11}}
    )

    assert statement_of(answer)["models"] == ["fran"]
    assert statement_of(answer)["used"] == {"age_modifier_direction": 11}
    assert "used" not in statement_of()
