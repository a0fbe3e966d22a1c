"""A ComfyUI server's answers and Civitai's items, in the shape of real ones; hashes are made up."""

import hashlib
from typing import Any

from tests.support.catalog import civitai_items

FILES = {
    "checkpoints": [
        "SDXL/waiIllustriousSDXL_v150.safetensors",
        "ponyDiffusionV6XL_v6StartWithThisOne.safetensors",
        "sd_xl_base_1.0.safetensors",
    ],
    "loras": [
        "characters/hero_v1.safetensors",
        "renamed_by_user.safetensors",
        "sample_detail_slider_xl_v2.safetensors",
    ],
    "vae": ["sampleAnimeVae.safetensors", "sdxl_vae.safetensors"],
    "controlnet": ["sampleUnionControlnet_v10.safetensors"],
    "upscale_models": ["4xSampleSharp_v10.pth"],
    "diffusion_models": [
        "flux/flux1-dev.safetensors",
        "wan2.2_t2v_high_noise_14B_fp8_scaled.safetensors",
    ],
}

MATCHED = {
    "checkpoints/SDXL/waiIllustriousSDXL_v150.safetensors": ("sha256", 920000003),
    "checkpoints/ponyDiffusionV6XL_v6StartWithThisOne.safetensors": ("file_name", 920000001),
    "loras/renamed_by_user.safetensors": ("autov3", 920000010),
    "loras/sample_detail_slider_xl_v2.safetensors": ("file_name", 920000011),
    "vae/sampleAnimeVae.safetensors": ("file_name", 920000040),
    "vae/sdxl_vae.safetensors": ("file_name", 920000001),
    "controlnet/sampleUnionControlnet_v10.safetensors": ("file_name", 920000020),
    "upscale_models/4xSampleSharp_v10.pth": ("sha256", 920000030),
}
"""How each model is found, and as which version; all others have no match."""


def digits(name: str, length: int = 64) -> str:
    """Make a hash up, always the same for a name."""
    return hashlib.sha256(f"the tensors of {name}".encode()).hexdigest().upper()[:length]


def comfyui_answers() -> dict[str, object]:
    """Answers of a server, by path."""
    trained = {"ss_output_name": "slider", "sshs_model_hash": digits("slider_v1 tensors").lower()}
    return {
        "/system_stats": {
            "system": {"os": "linux", "comfyui_version": "0.3.60", "argv": ["main.py"]},
            "devices": [{"name": "cuda:0", "type": "cuda", "index": 0, "vram_total": 25294995456}],
        },
        "/queue": {"queue_running": [], "queue_pending": []},
        "/models": [*FILES, "configs", "custom_nodes"],
        **{f"/models/{folder}": names for folder, names in FILES.items()},
        "/models/configs": ["v1-inference.yaml"],
        "/view_metadata/loras?filename=renamed_by_user.safetensors": trained,
    }


def hash_rows() -> list[dict[str, str | None]]:
    """What a scan of the disk gives."""
    wai, sharp = "SDXL/waiIllustriousSDXL_v150.safetensors", "4xSampleSharp_v10.pth"
    return [
        {"folder": "checkpoints", "name": wai, "sha256": digits("wai").lower()},
        {"folder": "checkpoints", "name": "sd_xl_base_1.0.safetensors", "sha256": None},
        {"folder": "upscale_models", "name": sharp, "sha256": digits("sharp")},
    ]


def item(number: int, name: str, kind: str, *versions: dict[str, Any]) -> dict[str, Any]:
    return civitai_items.item(*versions, id=number, name=name, type=kind, tags=["sample"])


def version(number: int, name: str, base_model: str, *files: dict[str, Any]) -> dict[str, Any]:
    return civitai_items.version(*files, id=number, name=name, baseModel=base_model)


def file(name: str, kind: str = "Model", **hashes: str) -> dict[str, Any]:
    """Make a file; without other hashes it has a SHA-256 of its own."""
    own = {"SHA256": digits(name), "AutoV2": digits(name, 10)}
    return civitai_items.file(name, kind, hashes=hashes or own)


def pages() -> list[list[dict[str, Any]]]:
    """Items of two pages: a VAE inside a checkpoint, an item with two versions, a .pth file."""
    pony = file("ponyDiffusionV6XL_v6StartWithThisOne.safetensors")
    other_pony = file("ponyDiffusionV6XL_v615.safetensors")
    slider = file("sample_detail_slider_xl_v1.safetensors", AutoV3=digits("slider_v1 tensors", 12))
    wai = file("waiIllustriousSDXL_v150.safetensors", SHA256=digits("wai"))
    new_slider = file("sample_detail_slider_xl_v2.safetensors")
    union = file("sampleUnionControlnet_v10.safetensors")
    sharp = file("4xSampleSharp_v10.pth", SHA256=digits("sharp"))
    anime = file("sampleAnimeVae.safetensors")
    ponies = (
        version(920000001, "V6", "Pony", pony, file("sdxl_vae.safetensors", "VAE")),
        version(920000002, "V6-1.5", "SD 1.5", other_pony, file("kl-f8-anime.ckpt", "VAE")),
    )
    sliders = (
        version(920000011, "v2.0", "SDXL 1.0", new_slider),
        version(920000010, "v1.0", "SDXL 1.0", slider),
    )
    unions = version(920000020, "v1.0", "SDXL 1.0", union)
    return [
        [
            item(910000010, "Sample Pony XL", "Checkpoint", *ponies),
            item(
                910000011,
                "Sample WAI",
                "Checkpoint",
                version(920000003, "v15.0", "Illustrious", wai),
            ),
            item(910000001, "Sample Detail Slider XL", "LORA", *sliders),
            item(910000002, "Sample Union ControlNet XL", "Controlnet", unions),
            item(
                910000003, "4x Sample Sharp", "Upscaler", version(920000030, "v1.0", "Other", sharp)
            ),
        ],
        [item(910000004, "Sample Anime VAE", "VAE", version(920000040, "v1.0", "SD 1.5", anime))],
    ]
