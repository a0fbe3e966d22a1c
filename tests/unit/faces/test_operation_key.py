"""The operation key changes with the meaning of an operation, and with nothing else."""

import pytest

from storycanvas.faces.operation_key import operation_key
from storycanvas.faces.operations import (
    AgeAdjustOperation,
    EnhanceOperation,
    FaceOperation,
    parse_operation,
)

BASE = {
    "operation": EnhanceOperation(),
    "input_hashes": ["a"],
    "engine": "preview",
    "engine_version": "1",
}

DIFFERENT: list[dict[str, object]] = [
    {"operation": EnhanceOperation(face_enhancer_blend=0.5)},
    {"operation": AgeAdjustOperation(target_age=45)},
    {"input_hashes": ["b"]},
    {"input_hashes": ["a", "b"]},
    {"engine": "facefusion"},
    {"engine_version": "2"},
]

SAME: list[tuple[dict[str, object], FaceOperation]] = [
    ({"operation_type": "enhance", "face_enhancer_blend": 1}, EnhanceOperation()),
    ({"operation_type": "enhance", "face_enhancer_model": "gfpgan_1.4"}, EnhanceOperation()),
    ({"operation_type": "enhance", "face_detector_model": "yolo_face"}, EnhanceOperation()),
]


def key(**changes: object) -> str:
    return operation_key(**{**BASE, **changes})


@pytest.mark.parametrize("change", DIFFERENT)
def test_another_meaning_is_another_key(change: dict[str, object]) -> None:
    assert key(**change) != key()


@pytest.mark.parametrize(("document", "operation"), SAME)
def test_another_spelling_of_the_same_meaning_is_the_same_key(
    document: dict[str, object], operation: FaceOperation
) -> None:
    assert key(operation=parse_operation(document)) == key(operation=operation)


def test_the_order_of_pictures_matters() -> None:
    assert key(input_hashes=["a", "b"]) != key(input_hashes=["b", "a"])


def test_a_key_stays_the_same_from_release_to_release() -> None:
    """A change here forgets everything that ledgers hold: raise KEY_VERSION when it is meant."""
    assert key() == "df03399547fccc57da8f572fd1fc2a2b8f33e4e4f57bf0d7e2fc801de87ebf09"
