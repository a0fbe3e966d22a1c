"""What ComfyUI servers answer: the sample's twelve models, and every kind of broken answer."""

from collections.abc import Mapping

from storycanvas.catalog.comfyui.metadata import KnownMetadata
from storycanvas.catalog.comfyui.server import read_server
from storycanvas.catalog.entries import Listing, ServerReading
from tests.support.catalog.comfyui_server import Answer, ComfyuiServer
from tests.support.catalog.sample_catalog import FILES

SYSTEM_STATS = {
    "system": {
        "os": "linux",
        "ram_total": 67335032832,
        "comfyui_version": "0.3.60",
        "embedded_python": False,
        "argv": ["main.py", "--listen", "0.0.0.0"],  # noqa: S104 -- text of an answer only
    },
    "devices": [
        {"name": "cuda:0 NVIDIA GeForce RTX 3090", "type": "cuda", "index": 0, "vram_free": 24126}
    ],
}

_LOADERS = {
    "checkpoints": ("CheckpointLoaderSimple", "ckpt_name"),
    "controlnet": ("ControlNetLoader", "control_net_name"),
    "diffusion_models": ("UNETLoader", "unet_name"),
    "loras": ("LoraLoader", "lora_name"),
    "upscale_models": ("UpscaleModelLoader", "model_name"),
    "vae": ("VAELoader", "vae_name"),
}

_LOOK_ALIKES = {
    "KSampler": {
        "input": {
            "required": {
                "seed": ["INT", {"max": 2**64 - 1}],
                "sampler_name": [["euler", "ddim.safetensors"], {}],
            }
        }
    },
    "VAEDecode": {"input": {"required": {"vae": ["VAE"]}}},
}


def folder_answers() -> dict[str, object]:
    """What a server answers that lists by folder."""
    folders = [*FILES, "configs", "custom_nodes", "embeddings"]
    listed = {f"/models/{folder}": names for folder, names in FILES.items()}
    return {"/system_stats": SYSTEM_STATS, "/models": folders, **listed}


def loader_answers(*, third_schema: bool = False) -> dict[str, object]:
    """What a server answers that can tell its models by loader nodes only."""
    nodes: dict[str, object] = dict(_LOOK_ALIKES)
    for folder, (loader, field_name) in _LOADERS.items():
        names = [*FILES[folder], *(["pixel_space", "taesd"] if folder == "vae" else [])]
        choices = ["COMBO", {"multiselect": False, "options": names}] if third_schema else [names]
        nodes[loader] = {"input": {"required": {field_name: choices, "model": ["MODEL", {}]}}}
    return {"/system_stats": SYSTEM_STATS, "/object_info": nodes}


BROKEN: dict[str, Answer] = {
    "an error": Answer(status=500),
    "overload": Answer(status=503, headers={"Retry-After": "2"}),
    "too many requests": Answer(status=429),
    "refused": Answer(status=403),
    "HTML": Answer(b"<html></html>"),
    "truncated": Answer(b'["a.ckpt", "b'),
    "an object": Answer({"a.ckpt": 1}),
    "null": Answer(b"null"),
    "a number": Answer(b"18446744073709551616"),
    "a redirect": Answer(status=301, headers={"Location": "/models/vae"}),
    "cut off": Answer(b'["a.ckpt"]', headers={"Content-Length": "999"}),
}


def read(
    answers: Mapping[str, object],
    known: KnownMetadata | None = None,
    *,
    read_metadata: bool = True,
) -> tuple[ServerReading, list[str]]:
    """Read a server that answers so; tell what was learned, and what was asked."""
    with ComfyuiServer(answers) as server:
        reading = read_server(
            server.url,
            known_metadata=known or {},
            read_metadata=read_metadata,
            status_seconds=1,
            listing_seconds=1,
        )
    return reading, server.paths


def listing_of(answers: Mapping[str, object]) -> Listing:
    """Read the models of a server that answers so."""
    listing = read(answers)[0].listing
    assert listing is not None
    return listing


def ids(listing: Listing) -> list[str]:
    return [f"{entry.folder}/{entry.path}" for entry in listing.entries]


TWELVE = sorted(f"{folder}/{name}" for folder, names in FILES.items() for name in names)
