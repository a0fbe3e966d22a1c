"""Refusals: pictures without a face, refused content, files that are not pictures."""

from typing import Any

import httpx
import pytest

from storycanvas.faces.operations import (
    AgeAdjustOperation,
    DetectOperation,
    EditOperation,
    EnhanceOperation,
    FaceOperation,
    MaskOperation,
    SwapOperation,
)
from tests.support.facefusion.driven_host import DrivenHost
from tests.support.facefusion.made_pictures import BLACK, MAGENTA, RED, encoded, opened, plain

OF_ONE_PICTURE: dict[str, FaceOperation] = {
    operation.path: operation
    for operation in (
        EnhanceOperation(),
        AgeAdjustOperation(target_age=60),
        EditOperation(face_editor_mouth_smile=50),
        MaskOperation(),
    )
}
REFUSED = (422, "content_rejected", False)
NO_FACE = (422, "no_face", False)


def refusal(answer: httpx.Response) -> tuple[int, str, bool]:
    error = answer.json()["error"]
    return answer.status_code, error["code"], error["retryable"]


@pytest.mark.parametrize("path", OF_ONE_PICTURE)
def test_a_picture_without_a_face_is_refused(resident_host: DrivenHost, path: str) -> None:
    answer = resident_host.post(OF_ONE_PICTURE[path], plain(BLACK))
    assert refusal(answer) == NO_FACE
    assert "source_path" in answer.json()["error"]["message"]


@pytest.mark.parametrize(
    ("source", "target", "named"),
    [(BLACK, RED, "source_face_path"), (RED, BLACK, "target_image_path")],
    ids=["source", "target"],
)
def test_a_swap_names_the_picture_without_a_face(
    resident_host: DrivenHost, source: tuple[int, ...], target: tuple[int, ...], named: str
) -> None:
    answer = resident_host.post(SwapOperation(), plain(source), plain(target))
    assert refusal(answer) == NO_FACE
    assert named in answer.json()["error"]["message"]


@pytest.mark.parametrize("path", [*OF_ONE_PICTURE, DetectOperation.path])
def test_refused_content_is_refused_by_every_operation(
    resident_host: DrivenHost, path: str
) -> None:
    operation = {**OF_ONE_PICTURE, DetectOperation.path: DetectOperation()}[path]
    assert refusal(resident_host.post(operation, plain(MAGENTA))) == REFUSED


@pytest.mark.parametrize(
    ("source", "target"), [(RED, MAGENTA), (MAGENTA, RED)], ids=["target", "source"]
)
def test_refused_content_of_a_swap_is_refused(
    resident_host: DrivenHost, source: tuple[int, ...], target: tuple[int, ...]
) -> None:
    answer = resident_host.post(SwapOperation(), plain(source), plain(target))
    assert refusal(answer) == REFUSED


def test_a_verdict_is_of_the_picture_and_not_of_its_name(driven_host: DrivenHost) -> None:
    file = driven_host.pictures / "same-name.png"
    body: dict[str, Any] = {"source_path": str(file)}
    verdicts = []
    for colour in (RED, MAGENTA, BLACK, MAGENTA):
        file.write_bytes(plain(colour))
        answer = driven_host.http.post("mask-face", json=body)
        verdicts.append(refusal(answer) if answer.is_error else None)
    assert verdicts == [None, REFUSED, NO_FACE, REFUSED]


def test_a_refused_picture_stays_refused_after_others(resident_host: DrivenHost) -> None:
    verdicts = [resident_host.post(EnhanceOperation(), plain(MAGENTA))]
    resident_host.post(DetectOperation(), plain(RED))
    resident_host.post(EnhanceOperation(), plain(BLACK))
    verdicts.append(resident_host.post(EnhanceOperation(), plain(MAGENTA)))
    assert [refusal(verdict) for verdict in verdicts] == [REFUSED, REFUSED]


def test_refused_content_stays_refused_in_another_form(resident_host: DrivenHost) -> None:
    jpeg = encoded(opened(plain(MAGENTA, (301, 201))), "JPEG", quality=95)
    assert refusal(resident_host.post(DetectOperation(), jpeg)) == REFUSED


@pytest.mark.parametrize(
    "damaged",
    [b"no picture at all", b"", plain()[:60], plain()[:300], plain()[:50] + b"x" + plain()[51:]],
    ids=["words", "nothing", "head only", "cut off", "changed"],
)
def test_a_damaged_picture_is_not_a_picture(resident_host: DrivenHost, damaged: bytes) -> None:
    file = resident_host.pictures / "damaged.png"
    file.write_bytes(damaged)
    for path in ("enhance-face", "detect-faces"):
        answer = resident_host.http.post(path, json={"source_path": str(file)})
        assert refusal(answer) == (415, "not_a_picture", False)


def test_nothing_is_left_in_the_engines_folder(driven_host: DrivenHost) -> None:
    colours = (RED, BLACK, MAGENTA)
    answers = [driven_host.post(EnhanceOperation(), plain(colour)) for colour in colours]
    assert [answer.status_code for answer in answers] == [200, 422, 422]
    assert driven_host.jobs() == []
