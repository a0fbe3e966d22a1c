"""Twenty different operations on four pictures, as a mixed load for a face host."""

from collections.abc import Iterator
from pathlib import Path
from typing import NamedTuple

from PIL import Image, ImageEnhance, ImageOps

from storycanvas.faces.operations import (
    AgeAdjustOperation,
    DetectOperation,
    EditOperation,
    EnhanceOperation,
    FaceOperation,
    MaskOperation,
    SwapOperation,
)
from storycanvas.faces.pictures.reading import Picture, decode, normal_form

PORTRAIT = Path(__file__).parents[1] / "samples" / "portrait.png"
SIDE = 512


class Load(NamedTuple):
    """An operation with its pictures."""

    name: str
    operation: FaceOperation
    pictures: tuple[Picture, ...]


def mixed_operations() -> list[Load]:
    """Make the twenty: all six kinds, several models and settings, odd sizes too."""
    upright, mirrored, bright, odd = _pictures()
    single = (
        *((model, _enhance(model)) for model in ("gfpgan_1.4", "codeformer", "gpen_bfr_256")),
        ("half", EnhanceOperation(face_enhancer_blend=0.5)),
        *((f"age {age}", _age(age)) for age in (10, 40, 60, 80)),
        *((f"smile {value}", EditOperation(face_editor_mouth_smile=value)) for value in (-60, 60)),
        ("look up", EditOperation(face_editor_eye_gaze_vertical=50, face_editor_head_pitch=20)),
        ("detect", DetectOperation()),
        ("mask", MaskOperation()),
    )
    pictures = (upright, mirrored, bright, odd)
    loads = [
        Load(name, operation, (pictures[index % len(pictures)],))
        for index, (name, operation) in enumerate(single)
    ]
    return [*loads, *_swaps(pictures), *_more(odd)]


def _swaps(pictures: tuple[Picture, ...]) -> Iterator[Load]:
    for model in ("inswapper_128", "hyperswap_1a_256", "inswapper_256"):
        swap = SwapOperation.model_validate({"face_swapper_model": model})
        yield Load(f"swap {model}", swap, (pictures[1], pictures[2]))


def _more(odd: Picture) -> Iterator[Load]:
    yield Load("odd enhance", EnhanceOperation(), (odd,))
    yield Load("odd detect", DetectOperation(), (odd,))
    yield Load("odd age 30", _age(30), (odd,))
    yield Load("odd swap", SwapOperation(), (odd, odd))


def _enhance(model: str) -> EnhanceOperation:
    return EnhanceOperation.model_validate({"enhancement_model": model})


def _age(years: int) -> AgeAdjustOperation:
    return AgeAdjustOperation(target_age=years, face_editor_blend=1.0)


def _pictures() -> tuple[Picture, Picture, Picture, Picture]:
    whole = decode(PORTRAIT.read_bytes(), PORTRAIT.name).convert("RGB")
    square = ImageOps.fit(whole, (SIDE, SIDE), Image.Resampling.LANCZOS)
    return (
        normal_form(square),
        normal_form(ImageOps.mirror(square)),
        normal_form(ImageEnhance.Brightness(square).enhance(1.3)),
        normal_form(square.crop((0, 0, SIDE - 1, SIDE - 3))),
    )
