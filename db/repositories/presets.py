"""Queries of `facefusion_presets`."""

from pydantic import ValidationError
from pymongo.database import Database

from db.connection import Document, translated_errors
from db.documents.preset import Preset
from db.errors import BrokenPreset, UnknownPreset


class PresetRepository:
    """Reads saved presets."""

    def __init__(self, database: Database[Document]) -> None:
        self._presets = database["facefusion_presets"]

    def find(self, preset: str) -> Preset:
        """Read a preset by its id, or else by its name.

        Raises:
            UnknownPreset: There is none, or several have that name.
            BrokenPreset: A field of it is of a wrong type.
        """
        with translated_errors():
            found = [*self._presets.find({"id": preset, "deleted_at": None}).limit(1)] or [
                *self._presets.find({"name": preset, "deleted_at": None}).limit(2)
            ]
        if len(found) > 1:
            raise UnknownPreset(f"Several presets are named {preset!r}; give the id of one.")
        if not found:
            raise UnknownPreset(f"There is no preset with the id or name {preset!r}.")
        try:
            return Preset.model_validate(found[0])
        except ValidationError as error:
            field = error.errors(include_url=False)[0]["loc"][0]
            raise BrokenPreset(
                f"The field {field} of the preset {preset!r} cannot be used."
            ) from error
