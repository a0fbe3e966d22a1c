"""Generation parameters of a model, for quality or for speed."""

from typing import Literal

from pydantic import Field

from db.documents.stored import Dated, Id, Stored


class InferenceParameters(Stored):
    """The sampler's parameters; those of one family of models stand beside them.

    Attributes:
        sampler_name: As ComfyUI spells it, such as `euler_ancestral`.
    """

    steps: int = Field(ge=1)
    cfg_scale: float = Field(ge=0)
    sampler_name: str
    scheduler: str
    denoise: float = Field(1.0, ge=0, le=1)


class InferenceConfiguration(Dated):
    """A document of `inference_configurations` by the names of seed 001.

    Read as aliases: `configuration_type` for `preset_type`; `sampler` and the other flat fields of
    the app, and its `model_specific_params`, for those inside of `parameters`.
    """

    model_id: Id
    preset_type: Literal["quality", "speed"]
    parameters: InferenceParameters
    description: str | None = ""
