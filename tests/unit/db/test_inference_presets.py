"""The presets, against the table of docs/schema.md."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from db.inference.base_models import BaseModelKey
from db.inference.presets import PRESETS, configuration, presets_of

NOW = datetime(2026, 11, 21, tzinfo=UTC)
TABLE = [
    ("sdxl", "30 7.5 dpmpp_2m karras", "15 6.0 euler_ancestral normal", 1024),
    ("flux_dev", "25 1.0 euler simple", "12 1.0 euler simple", 1024),
    ("flux_schnell", "8 1.0 euler simple", "4 1.0 euler simple", 1024),
    ("flux_krea", "20 1.0 euler simple", "10 1.0 euler simple", 1024),
    ("pony", "28 7.0 dpmpp_2m karras", "12 6.5 euler_ancestral normal", 1024),
    ("wan_2_1", "25 7.5 ddim normal", "15 7.0 ddim normal", 512),
    ("wan_2_2", "20 7.5 dpmpp_2m karras", "8 6.5 euler simple", 768),
    ("hidream", "25 7.0 euler simple", "12 6.5 euler simple", 1024),
    ("sd_1_5", "25 7.5 dpmpp_2m karras", "15 7.0 euler_ancestral normal", 512),
]
FLUX = {"guidance": 3.5, "max_shift": 1.15, "base_shift": 0.5}
WAN_2_2 = {
    "video_fps": 24,
    "requires_vae": "wan2.2_vae.safetensors",
    "text_encoder": "umt5_xxl_fp8_e4m3fn_scaled.safetensors",
}
WAN_2_1 = {
    "video_fps": 24,
    "requires_vae": "wan_2.1_vae.safetensors",
    "text_encoder": "clip_l.safetensors",
}
LORA = "wan2.2_i2v_lightx2v_4steps_lora_v1"
EXTRA = [
    ("sdxl", {"clip_skip": -1}, {"clip_skip": -1}),
    ("flux_dev", FLUX, FLUX),
    ("flux_schnell", FLUX, FLUX),
    (
        "flux_krea",
        {"guidance": 3.5, "krea_strength": 0.8},
        {"guidance": 3.5, "krea_strength": 0.7},
    ),
    ("pony", {"clip_skip": -2}, {"clip_skip": -2}),
    ("wan_2_1", {**WAN_2_1, "video_frames": 25}, {**WAN_2_1, "video_frames": 14}),
    (
        "wan_2_2",
        {**WAN_2_2, "video_frames": 25},
        {**WAN_2_2, "video_frames": 14, "lightning_lora": LORA},
    ),
    ("hidream", {"guidance": 3.5}, {"guidance": 3.5}),
    ("sd_1_5", {"clip_skip": -1}, {"clip_skip": -1}),
]


def stored(base_model: BaseModelKey) -> list[dict[str, Any]]:
    found = (configuration(preset, "m", NOW).model_dump() for preset in presets_of(base_model))
    return sorted(found, key=lambda configuration: str(configuration["preset_type"]))


def test_every_base_model_has_one_preset_of_each_type() -> None:
    counts = Counter((preset.base_model, preset.preset_type) for preset in PRESETS)

    assert counts == Counter(
        (key, kind) for key in get_args(BaseModelKey) for kind in ("quality", "speed")
    )


@pytest.mark.parametrize(("base_model", "quality", "speed", "side"), TABLE)
def test_the_numbers_are_the_tables(
    base_model: BaseModelKey, quality: str, speed: str, side: int
) -> None:
    for document, expected in zip(stored(base_model), (quality, speed), strict=True):
        parameters = document["parameters"]
        names = ("steps", "cfg_scale", "sampler_name", "scheduler")
        assert " ".join(str(parameters[name]) for name in names) == expected
        assert (parameters["width"], parameters["height"]) == (side, side)
        assert parameters["denoise"] == 1.0


@pytest.mark.parametrize(("base_model", "quality", "speed"), EXTRA)
def test_what_only_one_family_takes_is_inside_of_the_parameters(
    base_model: BaseModelKey, quality: dict[str, Any], speed: dict[str, Any]
) -> None:
    extra = [
        configuration["parameters"]["model_specific_params"] for configuration in stored(base_model)
    ]

    assert extra == [quality, speed]


def test_an_id_follows_from_model_and_type_alone() -> None:
    documents = [*stored("sdxl"), *stored("pony")]

    assert documents[0]["id"] == documents[2]["id"]
    assert documents[1]["id"] == documents[3]["id"]
    assert documents[0]["id"] != documents[1]["id"]
