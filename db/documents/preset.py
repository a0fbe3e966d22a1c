"""A saved set of parameters for one operation (seed 001, `facefusion_presets`)."""

from typing import Any

from pydantic import BaseModel, ConfigDict, Field


class Preset(BaseModel):
    """What a flow reads of a `facefusion_presets` document."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    name: str
    operation_type: str
    parameters: dict[str, Any] = Field(default_factory=dict)
