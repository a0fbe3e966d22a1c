"""The models of a server as the choices of its loader nodes, which `/object_info` lists."""

from collections.abc import Mapping, Sequence

from storycanvas.catalog.comfyui.files import read_names
from storycanvas.catalog.entries import ModelEntry, Problems

LOADERS: Mapping[str, Mapping[str, str]] = {
    "CheckpointLoaderSimple": {"ckpt_name": "checkpoints"},
    "CheckpointLoader": {"ckpt_name": "checkpoints"},
    "unCLIPCheckpointLoader": {"ckpt_name": "checkpoints"},
    "ImageOnlyCheckpointLoader": {"ckpt_name": "checkpoints"},
    "LoraLoader": {"lora_name": "loras"},
    "LoraLoaderModelOnly": {"lora_name": "loras"},
    "VAELoader": {"vae_name": "vae"},
    "ControlNetLoader": {"control_net_name": "controlnet"},
    "DiffControlNetLoader": {"control_net_name": "controlnet"},
    "UpscaleModelLoader": {"model_name": "upscale_models"},
    "UNETLoader": {"unet_name": "diffusion_models"},
    "UnetLoaderGGUF": {"unet_name": "unet_gguf"},
    "CLIPLoader": {"clip_name": "text_encoders"},
    "DualCLIPLoader": {"clip_name1": "text_encoders", "clip_name2": "text_encoders"},
    "CLIPVisionLoader": {"clip_name": "clip_vision"},
    "StyleModelLoader": {"style_model_name": "style_models"},
    "GLIGENLoader": {"gligen_name": "gligen"},
    "HypernetworkLoader": {"hypernetwork_name": "hypernetworks"},
    "PhotoMakerLoader": {"photomaker_model_name": "photomaker"},
    "AudioEncoderLoader": {"audio_encoder_name": "audio_encoders"},
    "ModelPatchLoader": {"name": "model_patches"},
}
"""Inputs that choose a model, by node class, and the folder they choose from (ComfyUI 0.3.60).

Other inputs look the same but choose samplers or data types.
"""


def read_loaders(
    nodes: object, problems: Problems
) -> tuple[list[ModelEntry], bool, frozenset[str]]:
    """Read the choices of all known loaders from the answer of `/object_info`.

    Folders without a loader, such as embeddings, are not listed.

    Returns:
        The models, whether each folder with a loader could be read, and which ones were.
    """
    if not isinstance(nodes, dict):
        problems.add("/object_info", "The answer is not an object.")
        return [], False, frozenset()
    names, unread = _names_by_folder(nodes, problems)
    if not names:
        problems.add("/object_info", "It has the choices of no known loader.")
        return [], False, frozenset()
    entries: list[ModelEntry] = []
    complete = unread <= names.keys()
    for folder, choices in names.items():
        files = read_names(folder, choices, {}, problems)
        entries += files.entries
        complete = complete and files.complete
    return entries, complete, frozenset(names)


def _names_by_folder(
    nodes: Mapping[str, object], problems: Problems
) -> tuple[dict[str, list[object]], set[str]]:
    """Collect the choices by folder; several loaders have the same ones."""
    names: dict[str, list[object]] = {}
    unread: set[str] = set()
    for loader in (name for name in LOADERS if name in nodes):
        for field, folder in LOADERS[loader].items():
            choices = _choices(_field(nodes[loader], field))
            if choices is None:
                problems.add(f"{loader}.{field}", "Its choices are not a list.")
                unread.add(folder)
            else:
                known = names.setdefault(folder, [])
                texts = {name for name in known if isinstance(name, str)}
                known += [name for name in choices if not _is_in(name, texts)]
    return names, unread


def _is_in(name: object, texts: set[str]) -> bool:
    return isinstance(name, str) and name in texts


def _field(node: object, field: str) -> object:
    inputs = _part(node, "input")
    required = _part(_part(inputs, "required"), field)
    return _part(_part(inputs, "optional"), field) if required is None else required


def _part(value: object, key: str) -> object:
    return value.get(key) if isinstance(value, dict) else None


def _choices(field: object) -> Sequence[object] | None:
    """Read `[names, options]` or, of nodes of the third schema, `["COMBO", {options: names}]`."""
    if not isinstance(field, list) or not field:
        return None
    first = field[0]
    if first == "COMBO" and len(field) > 1:
        first = _part(field[1], "options")
    return first if isinstance(first, list) else None
