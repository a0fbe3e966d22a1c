"""Parameter types that flows share, so that the same value has the same bounds in every form."""

from typing import Annotated

from pydantic import Field

from faces.operations import Age

CharacterId = Annotated[str, Field(min_length=1, max_length=200)]
Reference = Annotated[str, Field(min_length=1, max_length=2000)]
PresetName = Annotated[str, Field(min_length=1, max_length=200)]
Ages = Annotated[list[Age], Field(min_length=1, max_length=50)]
