"""Models and versions in the shape of real ones; ids from 910000000 and all hashes are made up."""

from collections.abc import Mapping
from hashlib import sha256

from storycanvas.catalog.civitai.version_files import VersionFile
from storycanvas.catalog.entries import HashKind
from storycanvas.catalog.hashes import with_auto_v2
from storycanvas.catalog.kinds import type_of_file, type_of_folder
from storycanvas.catalog.matching.local_models import LocalModel


def digits(name: str, kind: HashKind = "SHA256") -> str:
    """Make a hash up, always the same for a name."""
    length = {"SHA256": 64, "BLAKE3": 64, "AutoV3": 12, "AutoV2": 10}[kind]
    return sha256(f"{kind} of {name}".encode()).hexdigest().upper()[:length]


def all_hashes(name: str) -> dict[HashKind, str]:
    kinds: tuple[HashKind, ...] = ("SHA256", "BLAKE3", "AutoV3")
    return with_auto_v2({kind: digits(name, kind) for kind in kinds})


def version_file(
    file_name: str,
    version_id: int,
    item: tuple[int, str, str] = (910000009, "Sample Model", "LORA"),
    file_type: str = "Model",
    hashes: Mapping[HashKind, str] | None = None,
    version_name: str = "v1.0",
    published_at: str | None = "2025-03-01T08:00:00.000Z",
    base_model: str | None = "SDXL 1.0",
) -> VersionFile:
    """Make a file of a version; without other hashes it has all kinds of them."""
    model_id, model_name, item_type = item
    return VersionFile(
        model_id=model_id,
        model_name=model_name,
        item_type=item_type,
        version_id=version_id,
        version_name=version_name,
        base_model=base_model,
        published_at=published_at,
        trained_words=(),
        nsfw=False,
        tags=(),
        file_name=file_name,
        file_type=file_type,
        kind=type_of_file(item_type, file_type),
        hashes=all_hashes(file_name) if hashes is None else dict(hashes),
        download_url=None,
    )


def local_model(path: str, **hashes: str | set[str]) -> LocalModel:
    """Make a model of a server, such as `loras/characters/hero_v1.safetensors`."""
    told = {
        kind: frozenset({value} if isinstance(value, str) else value)
        for kind, value in hashes.items()
    }
    return LocalModel(
        model_id=path,
        kind=type_of_folder(path.partition("/")[0]),
        file_name=path.rpartition("/")[2],
        hashes=told,  # type: ignore[arg-type]  # keywords are no literals
    )


PONY = (910000010, "Sample Pony XL", "Checkpoint")
WAI = (910000011, "Sample WAI", "Checkpoint")
SLIDER = (910000001, "Sample Detail Slider XL", "LORA")


def sample_files() -> list[VersionFile]:
    """All files of two pages: a VAE inside a checkpoint, two versions, .ckpt without AutoV3."""
    return [
        version_file(
            "ponyDiffusionV6XL_v6StartWithThisOne.safetensors", 920000001, PONY, base_model="Pony"
        ),
        version_file("sdxl_vae.safetensors", 920000001, PONY, "VAE"),
        version_file("ponyDiffusionV6XL_v615.safetensors", 920000002, PONY, base_model="SD 1.5"),
        version_file(
            "kl-f8-anime.ckpt", 920000002, PONY, "VAE", {"SHA256": digits("kl-f8-anime.ckpt")}
        ),
        version_file(
            "waiIllustriousSDXL_v150.safetensors", 920000003, WAI, base_model="Illustrious"
        ),
        version_file("sample_detail_slider_xl_v2.safetensors", 920000011, SLIDER),
        version_file("sample_detail_slider_xl_v1.safetensors", 920000010, SLIDER),
        version_file(
            "sampleUnionControlnet_v10.safetensors",
            920000020,
            (910000002, "Sample Union ControlNet XL", "Controlnet"),
        ),
        version_file(
            "4xSampleSharp_v10.pth",
            920000030,
            (910000003, "4x Sample Sharp", "Upscaler"),
            hashes={"SHA256": digits("4xSampleSharp_v10.pth")},
        ),
        version_file(
            "sampleAnimeVae.safetensors", 920000040, (910000004, "Sample Anime VAE", "VAE")
        ),
    ]


def sample_models() -> list[LocalModel]:
    """The twelve models of a server, with the hashes that a scan and a trainer gave."""
    return [
        local_model(
            "checkpoints/SDXL/waiIllustriousSDXL_v150.safetensors",
            SHA256=digits("waiIllustriousSDXL_v150.safetensors").lower(),
        ),
        local_model("checkpoints/ponyDiffusionV6XL_v6StartWithThisOne.safetensors"),
        local_model("checkpoints/sd_xl_base_1.0.safetensors"),
        local_model("loras/characters/hero_v1.safetensors"),
        local_model(
            "loras/renamed_by_user.safetensors",
            AutoV3=digits("sample_detail_slider_xl_v1.safetensors", "AutoV3"),
        ),
        local_model("loras/sample_detail_slider_xl_v2.safetensors"),
        local_model("vae/sampleAnimeVae.safetensors"),
        local_model("vae/sdxl_vae.safetensors"),
        local_model("controlnet/sampleUnionControlnet_v10.safetensors"),
        local_model("upscale_models/4xSampleSharp_v10.pth", SHA256=digits("4xSampleSharp_v10.pth")),
        local_model("diffusion_models/flux/flux1-dev.safetensors"),
        local_model("diffusion_models/wan2.2_t2v_high_noise_14B_fp8_scaled.safetensors"),
    ]
