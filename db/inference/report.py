"""What `seed-inference-configurations` found and did."""

from collections.abc import Iterator

from db.inference.base_models import BaseModelKey
from db.inference.presets import PresetType
from db.schema.documents.base import Frozen

MAX_EXAMPLES = 100
"""Most of the models without presets that a report lists; it counts all of them."""


class PresetCount(Frozen):
    """How many models have a preset, and since when.

    Attributes:
        created: Models that have it since this run, or would have it.
        existing: Models that had one of this type before; it was left as it is.
    """

    base_model: BaseModelKey
    preset_type: PresetType
    created: int = 0
    existing: int = 0


class ModelWithoutPresets(Frozen):
    """An active model that no preset was chosen for.

    Attributes:
        model_id: Its `id`, or its `_id` when it has none.
        seen: What it states about its base model, or why it cannot be referred to.
    """

    model_id: str
    name: str
    seen: str

    def __str__(self) -> str:
        return f"{self.name} ({self.model_id}): {self.seen}"


class ProfileSeeded(Frozen):
    """A profile of the table.

    Attributes:
        created: Whether it is there since this run, or would be; else it was there before.
    """

    profile_id: str
    created: bool


class SeedReport(Frozen):
    """What became of every active model and of every profile.

    Attributes:
        dry_run: Whether it only looked; `created` then means what would be.
        presets: Counts by base model and type of preset, those that any model has or gets.
        unknown: The first of the models whose base model is unknown.
    """

    database: str
    dry_run: bool
    presets: tuple[PresetCount, ...]
    unknown: tuple[ModelWithoutPresets, ...] = ()
    unknown_count: int = 0
    profiles: tuple[ProfileSeeded, ...] = ()

    @property
    def created(self) -> int:
        """How many documents were added, or would be."""
        return sum(preset.created for preset in self.presets)

    @property
    def existing(self) -> int:
        """How many documents were there before."""
        return sum(preset.existing for preset in self.presets)

    @property
    def created_words(self) -> str:
        """Word `created`, also of a dry run."""
        return "would be created" if self.dry_run else "created"

    def lines(self) -> Iterator[str]:
        """Count in one line for each preset how many models have it."""
        for preset in self.presets:
            yield (
                f"{preset.base_model} {preset.preset_type}: {preset.created} {self.created_words}, "
                f"{preset.existing} existing."
            )
        for profile in self.profiles:
            became = self.created_words if profile.created else "existing"
            yield f"profile {profile.profile_id}: {became}."

    def summary(self) -> str:
        """Count in one sentence the presets, the models that got none, and the profiles."""
        added = sum(profile.created for profile in self.profiles)
        return (
            f"Database {self.database}: {self.created} {self.created_words}, "
            f"{self.existing} existing, {self.unknown_count} model(s) of unknown base model; "
            f"profiles: {added} {self.created_words}, {len(self.profiles) - added} existing."
        )
