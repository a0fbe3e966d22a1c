"""The models of a server as the choices of its loader nodes, which `/object_info` lists."""

from collections.abc import Collection, Iterator, Mapping, Sequence

from storycanvas.catalog.comfyui.files import read_names
from storycanvas.catalog.entries import ModelEntry, Problems, shown
from storycanvas.catalog.names import is_model_file

_LOADS = "load"
"""What is part of the class of each loader, of ComfyUI's own and of the custom nodes looked at."""

_MAX_NAME_LENGTH = 200
"""Characters of a node's class and input that a problem names."""

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

    Folders without a loader, such as embeddings, are not listed. An unknown loader of files that no
    known one lists is a problem with its name.

    Returns:
        The models, whether any folder could be read whole, and which ones were: a loader that
        cannot be read, today or ever, leaves out its own folder only.
    """
    if not isinstance(nodes, dict):
        problems.add("/object_info", "The answer is not an object.")
        return [], False, frozenset()
    names = _names_by_folder(nodes, problems)
    if not names:
        problems.add("/object_info", "It has the choices of no known loader.")
    entries: list[ModelEntry] = []
    covered: set[str] = set()
    for folder, choices in names.items():
        files = read_names(folder, choices, {}, problems)
        entries += files.entries
        if files.complete:
            covered.add(folder)
    _name_unknown_loaders(nodes, {entry.raw_name for entry in entries}, problems)
    return entries, bool(covered), frozenset(covered)


def _name_unknown_loaders(
    nodes: Mapping[str, object], listed: Collection[str], problems: Problems
) -> None:
    """Name the inputs that choose among model files which no known loader lists."""
    loaders = (name for name in nodes if _LOADS in name.casefold())  # samplers look the same
    for node in loaders:
        for field, value in _fields(nodes[node]):
            choices = _choices(value) or ()
            files = [name for name in choices if isinstance(name, str) and name not in listed]
            files = [name for name in files if is_model_file(name)]
            if files and field not in LOADERS.get(node, {}):
                reason = (
                    f"This loader is not known, so its {len(files)} model files are not listed, "
                    f"such as {shown(files[0])}."
                )
                problems.add(f"{node}.{field}"[:_MAX_NAME_LENGTH], reason)


def _fields(node: object) -> Iterator[tuple[str, object]]:
    inputs = _part(node, "input")
    for need in ("required", "optional"):
        fields = _part(inputs, need)
        yield from fields.items() if isinstance(fields, dict) else ()


def _names_by_folder(nodes: Mapping[str, object], problems: Problems) -> dict[str, list[object]]:
    """Collect the choices by folder; several loaders have the same ones."""
    names: dict[str, list[object]] = {}
    for loader in (name for name in LOADERS if name in nodes):
        for field, folder in LOADERS[loader].items():
            choices = _choices(_field(nodes[loader], field))
            if choices is None:
                problems.add(f"{loader}.{field}", "Its choices are not a list.")
            else:
                known = names.setdefault(folder, [])
                texts = {name for name in known if isinstance(name, str)}
                known += [name for name in choices if not _is_in(name, texts)]
    return names


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
