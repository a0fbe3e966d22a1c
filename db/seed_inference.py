"""Giving every active model the presets of its base model.

It may be run at any time, by any number of processes at once, and killed at any moment: whoever
comes next adds what is missing and changes nothing else.
"""

from collections import Counter
from collections.abc import Iterable
from datetime import UTC, datetime
from itertools import islice

from pymongo.database import Database

from db.base_models import base_model_of, seen_of
from db.connection import Document
from db.inference_presets import PRESETS, InferencePreset, configuration, presets_of
from db.inference_report import LISTED, ModelWithoutPresets, PresetCount, SeedReport
from db.repositories.inference_configurations import InferenceConfigurationRepository, Key

BATCH = 500
"""Models in a batch; each has two presets, so a bulk write has at most 1000 of them."""


def seed_inference(database: Database[Document], *, dry_run: bool = False) -> SeedReport:
    """Add the presets of reference section 5 that active models do not have.

    Args:
        database: The StoryCanvas database.
        dry_run: Whether to look only.

    Returns:
        What became of every active model.

    Raises:
        db.errors.DatabaseError: The server cannot be reached, or refuses the user or a preset.
    """
    repository = InferenceConfigurationRepository(database)
    seeding = _Seeding(repository, dry_run=dry_run)
    models = repository.active_models()
    while batch := [*islice(models, BATCH)]:
        seeding.settle(batch)
    return seeding.report(database.name)


class _Seeding:
    """A run's work on batch after batch, and its counts; memory does not grow with the models."""

    def __init__(self, repository: InferenceConfigurationRepository, *, dry_run: bool) -> None:
        self._repository = repository
        self._dry_run = dry_run
        self._now = datetime.now(UTC)
        self._created: Counter[tuple[str, str]] = Counter()
        self._existing: Counter[tuple[str, str]] = Counter()
        self._unknown: list[ModelWithoutPresets] = []
        self._unknown_count = 0

    def settle(self, models: Iterable[Document]) -> None:
        """Give the models of a batch what they lack, and count."""
        wanted = self._wanted(models)
        there = self._repository.existing({model_id for model_id, _ in wanted})
        missing = {
            key: configuration(preset, key[0], self._now)
            for key, preset in wanted.items()
            if key not in there
        }
        added = missing.keys() if self._dry_run else self._repository.add_missing(missing)
        for key, preset in wanted.items():
            counts = self._created if key in added else self._existing
            counts[preset.base_model, preset.preset_type] += 1

    def report(self, database: str) -> SeedReport:
        """Say what was found and done."""
        counts = (
            PresetCount(
                base_model=preset.base_model,
                preset_type=preset.preset_type,
                created=self._created[preset.base_model, preset.preset_type],
                existing=self._existing[preset.base_model, preset.preset_type],
            )
            for preset in PRESETS
        )
        return SeedReport(
            database=database,
            dry_run=self._dry_run,
            presets=tuple(one for one in counts if one.created or one.existing),
            unknown=tuple(self._unknown),
            unknown_count=self._unknown_count,
        )

    def _wanted(self, models: Iterable[Document]) -> dict[Key, InferencePreset]:
        """Choose the presets of each model, and note the models that get none."""
        wanted: dict[Key, InferencePreset] = {}
        for model in models:
            base_model = base_model_of(model)
            if not _has_id(model):
                self._note_unknown(model, str(model["_id"]), "it has no id to refer to it by")
            elif base_model is None:
                self._note_unknown(model, model["id"], seen_of(model))
            else:
                for preset in presets_of(base_model):
                    wanted[model["id"], preset.preset_type] = preset
        return wanted

    def _note_unknown(self, model: Document, model_id: str, seen: str) -> None:
        self._unknown_count += 1
        if len(self._unknown) < LISTED:
            name = str(model.get("name", "without a name"))
            self._unknown.append(ModelWithoutPresets(model_id=model_id, name=name, seen=seen))


def _has_id(model: Document) -> bool:
    return isinstance(model.get("id"), str) and bool(model["id"])
