"""The presets and the base model of a model: docs/schema.md, Presets."""

from collections import Counter
from datetime import UTC, datetime
from typing import Any, get_args

import pytest

from db.inference.base_models import BaseModelKey, base_model_of, evidence_of
from db.inference.presets import PRESETS, configuration, presets_of

NOW = datetime(2026, 11, 21, tzinfo=UTC)
FLUX = {"guidance": 3.5, "max_shift": 1.15, "base_shift": 0.5}
GUIDED, SKIP_1, SKIP_2 = {"guidance": 3.5}, {"clip_skip": -1}, {"clip_skip": -2}
WAN_2_1 = {
    "video_fps": 24,
    "requires_vae": "wan_2.1_vae.safetensors",
    "text_encoder": "clip_l.safetensors",
}
WAN_2_2 = {
    "video_fps": 24,
    "requires_vae": "wan2.2_vae.safetensors",
    "text_encoder": "umt5_xxl_fp8_e4m3fn_scaled.safetensors",
}
LIGHTNING = {"video_frames": 14, "lightning_lora": "wan2.2_i2v_lightx2v_4steps_lora_v1"}
DPMPP, ANCESTRAL = "dpmpp_2m karras", "euler_ancestral normal"
EULER, DDIM = "euler simple", "ddim normal"
Row = tuple[int, list[str], list[dict[str, Any]]]
TABLE: dict[BaseModelKey, Row] = {
    "sdxl": (1024, [f"30 7.5 {DPMPP}", f"15 6.0 {ANCESTRAL}"], [SKIP_1, SKIP_1]),
    "flux_dev": (1024, [f"25 1.0 {EULER}", f"12 1.0 {EULER}"], [FLUX, FLUX]),
    "flux_schnell": (1024, [f"8 1.0 {EULER}", f"4 1.0 {EULER}"], [FLUX, FLUX]),
    "flux_krea": (
        1024,
        [f"20 1.0 {EULER}", f"10 1.0 {EULER}"],
        [{**GUIDED, "krea_strength": strength} for strength in (0.8, 0.7)],
    ),
    "pony": (1024, [f"28 7.0 {DPMPP}", f"12 6.5 {ANCESTRAL}"], [SKIP_2, SKIP_2]),
    "wan_2_1": (
        512,
        [f"25 7.5 {DDIM}", f"15 7.0 {DDIM}"],
        [{**WAN_2_1, "video_frames": frames} for frames in (25, 14)],
    ),
    "wan_2_2": (
        768,
        [f"20 7.5 {DPMPP}", f"8 6.5 {EULER}"],
        [{**WAN_2_2, "video_frames": 25}, {**WAN_2_2, **LIGHTNING}],
    ),
    "hidream": (1024, [f"25 7.0 {EULER}", f"12 6.5 {EULER}"], [GUIDED, GUIDED]),
    "sd_1_5": (512, [f"25 7.5 {DPMPP}", f"15 7.0 {ANCESTRAL}"], [SKIP_1, SKIP_1]),
}


def stored(base_model: BaseModelKey) -> list[dict[str, Any]]:
    found = (configuration(preset, "m", NOW).model_dump() for preset in presets_of(base_model))
    return sorted(found, key=lambda configuration: str(configuration["preset_type"]))


def test_every_base_model_has_a_single_preset_of_each_type() -> None:
    counts = Counter((preset.base_model, preset.preset_type) for preset in PRESETS)

    assert counts == Counter(
        (key, kind) for key in get_args(BaseModelKey) for kind in ("quality", "speed")
    )


@pytest.mark.parametrize("base_model", TABLE)
def test_the_parameters_are_those_of_the_table(base_model: BaseModelKey) -> None:
    side, numbers, extra = TABLE[base_model]
    parameters = [document["parameters"] for document in stored(base_model)]

    names = ("steps", "cfg_scale", "sampler_name", "scheduler")
    assert [" ".join(str(found[name]) for name in names) for found in parameters] == numbers
    for found, expected in zip(parameters, extra, strict=True):
        assert (found["width"], found["height"], found["denoise"]) == (side, side, 1.0)
        assert found["model_specific_params"] == expected


def test_an_id_follows_from_model_and_type_alone() -> None:
    documents = [*stored("sdxl"), *stored("pony")]

    assert documents[0]["id"] == documents[2]["id"]
    assert documents[1]["id"] == documents[3]["id"]
    assert documents[0]["id"] != documents[1]["id"]


STATED: dict[BaseModelKey, tuple[str, ...]] = {
    "sdxl": (
        "SDXL 1.0",
        "Illustrious",
        "NoobAI",
        "SDXL Lightning",
        "SDXL Turbo",
        "SDXL Hyper",
        " sdxl 1.0 ",
    ),
    "pony": ("Pony",),
    "sd_1_5": ("SD 1.5", "SD 1.5 LCM", "SD 1.5 Hyper"),
    "flux_dev": ("Flux.1 D",),
    "flux_schnell": ("Flux.1 S",),
    "flux_krea": ("Flux.1 Krea",),
    "wan_2_2": ("Wan Video 2.2 I2V-A14B",),
    "wan_2_1": ("Wan Video 14B t2v", "Wan Video"),
    "hidream": ("HiDream",),
}
NAMED: dict[BaseModelKey, tuple[str, ...]] = {
    "flux_schnell": ("flux1-schnell.safetensors",),
    "flux_krea": ("flux1-krea-dev_fp8.safetensors",),
    "flux_dev": ("flux1-dev.safetensors", "fluxXL"),
    "sdxl": (
        "sd_xl_base_1.0.safetensors",
        "waiIllustriousSDXL_v150",
        "ponyDiffusionV6XL",
        "sdxlturbo",
    ),
    "pony": ("ponyRealism_v22",),
    "wan_2_2": ("wan2.2_i2v_high_noise_14B", "Wan2_2-T2V", "smoothMixWan22"),
    "wan_2_1": ("wan2.1_t2v_1.3B", "WanVideo_14B"),
    "hidream": ("hidream_i1_full",),
    "sd_1_5": ("anime_sd15", "control_sd_15_depth", "stable-diffusion-v1.5", "realistic 1.5"),
}
UNKNOWN_NAMES = [
    *("hero_v1", "4xSampleSharp_v10.pth", "qwen_image", "", "flux2-dev.safetensors"),
    *("t5xxl_fp16", "foxlady", "swan_lake", "Taiwan", "heroine_v1.5", "hero_21.50"),
]


def by_text(table: dict[BaseModelKey, tuple[str, ...]]) -> list[tuple[str, BaseModelKey]]:
    return [(text, key) for key, texts in table.items() for text in texts]


@pytest.mark.parametrize(("text", "key"), by_text(STATED))
def test_civitais_text_decides_the_base_model(text: str, key: BaseModelKey) -> None:
    assert base_model_of({"name": "hero", "base_model": text}) == key
    assert base_model_of({"name": "hero", "metadata": {"baseModel": text}}) == key


@pytest.mark.parametrize("key", get_args(BaseModelKey))
def test_a_key_stands_for_itself(key: BaseModelKey) -> None:
    assert base_model_of({"name": "hero", "metadata": {"base_model": key}}) == key


@pytest.mark.parametrize("text", ["SD 3.5", "Pony V7", "Flux.1 Kontext", "Flux.2 D", "Other"])
def test_a_base_model_without_presets_is_unknown_whatever_the_name(text: str) -> None:
    model = {"name": "sdxl_flux_pony", "base_model": text}

    assert base_model_of(model) is None
    assert evidence_of(model) == f"base_model is {text!r}"


@pytest.mark.parametrize(("name", "key"), by_text(NAMED))
def test_a_name_decides_where_nothing_is_stated(name: str, key: BaseModelKey) -> None:
    assert base_model_of({"name": name, "base_model": " ", "metadata": {}}) == key


@pytest.mark.parametrize("name", UNKNOWN_NAMES)
def test_a_name_without_a_base_model_is_unknown(name: str) -> None:
    assert base_model_of({"name": name}) is None
    assert evidence_of({"name": name}) == "nothing but the name"


def test_the_row_is_stronger_than_its_metadata() -> None:
    metadata = {"base_model": "Pony", "baseModel": "HiDream"}

    assert base_model_of({"base_model": "SDXL 1.0", "metadata": metadata}) == "sdxl"
    assert base_model_of({"base_model": None, "metadata": metadata}) == "pony"


@pytest.mark.parametrize("model", [{}, {"name": 7, "metadata": "SDXL 1.0"}, {"base_model": 15}])
def test_a_broken_row_is_unknown(model: dict[str, Any]) -> None:
    assert base_model_of(model) is None
