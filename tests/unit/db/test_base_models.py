"""Which base model a model belongs to: docs/schema.md, Presets."""

from typing import Any, get_args

import pytest

from db.inference.base_models import BaseModelKey, base_model_of, evidence_of

STATED = [
    ("SDXL 1.0", "sdxl"),
    ("Illustrious", "sdxl"),
    ("NoobAI", "sdxl"),
    ("SDXL Lightning", "sdxl"),
    ("SDXL Turbo", "sdxl"),
    ("SDXL Hyper", "sdxl"),
    ("Pony", "pony"),
    ("SD 1.5", "sd_1_5"),
    ("SD 1.5 LCM", "sd_1_5"),
    ("SD 1.5 Hyper", "sd_1_5"),
    ("Flux.1 D", "flux_dev"),
    ("Flux.1 S", "flux_schnell"),
    ("Flux.1 Krea", "flux_krea"),
    ("Wan Video 2.2 I2V-A14B", "wan_2_2"),
    ("Wan Video 14B t2v", "wan_2_1"),
    ("Wan Video", "wan_2_1"),
    ("HiDream", "hidream"),
    (" sdxl 1.0 ", "sdxl"),
]
NAMED = [
    ("flux1-schnell.safetensors", "flux_schnell"),
    ("flux1-krea-dev_fp8.safetensors", "flux_krea"),
    ("flux1-dev.safetensors", "flux_dev"),
    ("fluxXL", "flux_dev"),
    ("sd_xl_base_1.0.safetensors", "sdxl"),
    ("waiIllustriousSDXL_v150", "sdxl"),
    ("ponyDiffusionV6XL", "sdxl"),
    ("sdxlturbo", "sdxl"),
    ("ponyRealism_v22", "pony"),
    ("wan2.2_i2v_high_noise_14B", "wan_2_2"),
    ("Wan2_2-T2V", "wan_2_2"),
    ("smoothMixWan22", "wan_2_2"),
    ("wan2.1_t2v_1.3B", "wan_2_1"),
    ("WanVideo_14B", "wan_2_1"),
    ("hidream_i1_full", "hidream"),
    ("anime_sd15", "sd_1_5"),
    ("control_sd_15_depth", "sd_1_5"),
    ("stable-diffusion-v1.5", "sd_1_5"),
    ("realistic 1.5", "sd_1_5"),
]
UNKNOWN_NAMES = [
    *("hero_v1", "4xSampleSharp_v10.pth", "qwen_image", "", "flux2-dev.safetensors"),
    *("t5xxl_fp16", "foxlady", "swan_lake", "Taiwan", "heroine_v1.5", "hero_21.50"),
]


@pytest.mark.parametrize(("text", "key"), STATED)
def test_civitais_text_tells_the_base_model(text: str, key: BaseModelKey) -> None:
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


@pytest.mark.parametrize(("name", "key"), NAMED)
def test_a_name_tells_it_where_nothing_is_stated(name: str, key: BaseModelKey) -> None:
    assert base_model_of({"name": name, "base_model": " ", "metadata": {}}) == key


@pytest.mark.parametrize("name", UNKNOWN_NAMES)
def test_what_no_name_tells_is_unknown(name: str) -> None:
    assert base_model_of({"name": name}) is None
    assert evidence_of({"name": name}) == "nothing but the name"


def test_the_row_is_stronger_than_its_metadata() -> None:
    metadata = {"base_model": "Pony", "baseModel": "HiDream"}

    assert base_model_of({"base_model": "SDXL 1.0", "metadata": metadata}) == "sdxl"
    assert base_model_of({"base_model": None, "metadata": metadata}) == "pony"


@pytest.mark.parametrize("model", [{}, {"name": 7, "metadata": "SDXL 1.0"}, {"base_model": 15}])
def test_a_broken_row_is_unknown(model: dict[str, Any]) -> None:
    assert base_model_of(model) is None
