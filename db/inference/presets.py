"""The generation parameters that suit each base model, for quality and for speed.

The table is in docs/schema.md, Presets. ComfyUI spells `euler_a` `euler_ancestral`; denoise is 1.0
where the table names none.
"""

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal
from uuid import NAMESPACE_URL, uuid5

from db.inference.base_models import BaseModelKey
from db.schema.documents.models import InferenceConfiguration, InferenceParameters

PresetType = Literal["quality", "speed"]

_NAMESPACE = uuid5(NAMESPACE_URL, "storycanvas/inference_configurations")


@dataclass(frozen=True)
class InferencePreset:
    """A preset of the table.

    Attributes:
        cfg_scale: How closely the prompt is followed.
        side: Width and height in pixels.
        extra: What only this family of models takes.
        denoise: Share of the noise that is removed.
    """

    base_model: BaseModelKey
    preset_type: PresetType
    steps: int
    cfg_scale: float
    sampler_name: str
    scheduler: str
    side: int
    extra: dict[str, Any] = field(default_factory=dict)
    denoise: float = 1.0

    @property
    def parameters(self) -> InferenceParameters:
        """What is stored of it."""
        return InferenceParameters.model_validate(
            {
                "steps": self.steps,
                "cfg_scale": self.cfg_scale,
                "sampler_name": self.sampler_name,
                "scheduler": self.scheduler,
                "denoise": self.denoise,
                "width": self.side,
                "height": self.side,
                "model_specific_params": self.extra,
            }
        )

    @property
    def flat_parameters(self) -> dict[str, Any]:
        """The same by the names that the app's older code reads."""
        size = {"width": self.side, "height": self.side, "denoise": self.denoise}
        return {
            "steps": self.steps,
            "cfg_scale": self.cfg_scale,
            "sampler": self.sampler_name,
            "scheduler": self.scheduler,
            "model_specific_params": size | self.extra,
        }


_FLUX = {"guidance": 3.5, "max_shift": 1.15, "base_shift": 0.5}
_KREA = {"guidance": 3.5}
_WAN_2_1 = {
    "video_fps": 24,
    "requires_vae": "wan_2.1_vae.safetensors",
    "text_encoder": "clip_l.safetensors",
}
_WAN_2_2 = {
    "video_fps": 24,
    "requires_vae": "wan2.2_vae.safetensors",
    "text_encoder": "umt5_xxl_fp8_e4m3fn_scaled.safetensors",
}
_LIGHTNING = _WAN_2_2 | {
    "video_frames": 14,
    "lightning_lora": "wan2.2_i2v_lightx2v_4steps_lora_v1",
}
_ANCESTRAL = ("euler_ancestral", "normal")
_DPMPP = ("dpmpp_2m", "karras")
_EULER = ("euler", "simple")
_DDIM = ("ddim", "normal")

PRESETS = (
    InferencePreset("sdxl", "quality", 30, 7.5, *_DPMPP, 1024, {"clip_skip": -1}),
    InferencePreset("sdxl", "speed", 15, 6.0, *_ANCESTRAL, 1024, {"clip_skip": -1}),
    InferencePreset("flux_dev", "quality", 25, 1.0, *_EULER, 1024, _FLUX),
    InferencePreset("flux_dev", "speed", 12, 1.0, *_EULER, 1024, _FLUX),
    InferencePreset("flux_schnell", "quality", 8, 1.0, *_EULER, 1024, _FLUX),
    InferencePreset("flux_schnell", "speed", 4, 1.0, *_EULER, 1024, _FLUX),
    InferencePreset("flux_krea", "quality", 20, 1.0, *_EULER, 1024, _KREA | {"krea_strength": 0.8}),
    InferencePreset("flux_krea", "speed", 10, 1.0, *_EULER, 1024, _KREA | {"krea_strength": 0.7}),
    InferencePreset("pony", "quality", 28, 7.0, *_DPMPP, 1024, {"clip_skip": -2}),
    InferencePreset("pony", "speed", 12, 6.5, *_ANCESTRAL, 1024, {"clip_skip": -2}),
    InferencePreset("wan_2_1", "quality", 25, 7.5, *_DDIM, 512, _WAN_2_1 | {"video_frames": 25}),
    InferencePreset("wan_2_1", "speed", 15, 7.0, *_DDIM, 512, _WAN_2_1 | {"video_frames": 14}),
    InferencePreset("wan_2_2", "quality", 20, 7.5, *_DPMPP, 768, _WAN_2_2 | {"video_frames": 25}),
    InferencePreset("wan_2_2", "speed", 8, 6.5, *_EULER, 768, _LIGHTNING),
    InferencePreset("hidream", "quality", 25, 7.0, *_EULER, 1024, {"guidance": 3.5}),
    InferencePreset("hidream", "speed", 12, 6.5, *_EULER, 1024, {"guidance": 3.5}),
    InferencePreset("sd_1_5", "quality", 25, 7.5, *_DPMPP, 512, {"clip_skip": -1}),
    InferencePreset("sd_1_5", "speed", 15, 7.0, *_ANCESTRAL, 512, {"clip_skip": -1}),
)


def presets_of(base_model: BaseModelKey) -> Iterator[InferencePreset]:
    """Choose the presets that suit a base model."""
    return (preset for preset in PRESETS if preset.base_model == base_model)


def configuration(preset: InferencePreset, model_id: str, now: datetime) -> InferenceConfiguration:
    """Make the document that gives a model a preset.

    Its id follows from the model and the preset's type, so that runs at the same time make the
    same one.
    """
    return InferenceConfiguration.model_validate(
        {
            "id": str(uuid5(_NAMESPACE, f"{preset.preset_type}/{model_id}")),
            "model_id": model_id,
            "preset_type": preset.preset_type,
            "configuration_type": preset.preset_type,
            "base_model": preset.base_model,
            "parameters": preset.parameters,
            **preset.flat_parameters,
            "description": f"For {preset.preset_type}, suits {preset.base_model}.",
            "created_at": now,
            "updated_at": now,
        }
    )
