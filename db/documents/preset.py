"""A saved set of parameters for one operation (seed 001, `facefusion_presets`)."""

from typing import Annotated, Any

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field


class Preset(BaseModel):
    """What a flow reads of a `facefusion_presets` document."""

    model_config = ConfigDict(extra="ignore", frozen=True)

    id: str
    name: str
    operation_type: str
    parameters: Annotated[dict[str, Any], BeforeValidator(lambda value: value or {})] = Field(
        default_factory=dict
    )
