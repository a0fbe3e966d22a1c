"""Giving every active model the presets of its base model, and the app its profiles.

It may be run at any time, by any number of processes at once, and killed at any moment: the next
run adds what is missing and changes nothing else.
"""

from collections import Counter
from collections.abc import Collection, Iterable, Iterator, Mapping
from datetime import UTC, datetime
from functools import cached_property
from typing import Any

from pymongo import UpdateOne
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from db.connection import Document, in_batches, reading_anything, translated_errors
from db.errors import OperationRefused
from db.inference.base_models import base_model_of, evidence_of
from db.inference.presets import PRESETS, InferencePreset, configuration, presets_of
from db.inference.profiles import seed_profiles
from db.inference.report import MAX_EXAMPLES, ModelWithoutPresets, PresetCount, SeedReport
from db.migrations.engine.odd import BROKEN_TEXT
from db.schema.documents.models import InferenceConfiguration

Key = tuple[str, str]
"""Id of a model, and type of a preset."""

_DUPLICATE_KEY = 11000
_TYPE_NAMES = ("preset_type", "configuration_type")
_MODEL_FIELDS = ("id", "name", "base_model", "metadata.base_model", "metadata.baseModel")


class InferenceConfigurationRepository:
    """Reads active models and adds presets; what is there is never changed.

    Also a document that names its type `configuration_type`, as the app does, counts as there.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._models = reading_anything(database)["database_models"]
        self._configurations = database["inference_configurations"]
        self._stored = reading_anything(database)["inference_configurations"]

    def active_models(self) -> Iterator[Document]:
        """Read the fields that name the base model of each active model that is not deleted."""
        with translated_errors():
            yield from self._models.find(
                {"is_active": True, "deleted_at": None}, dict.fromkeys(_MODEL_FIELDS, True)
            )

    def existing(self, model_ids: Collection[str]) -> set[Key]:
        """Find which presets some models have."""
        fields = dict.fromkeys(("model_id", *_TYPE_NAMES), True)
        with translated_errors():
            found = self._stored.find({"model_id": {"$in": [*model_ids]}}, fields)
            return {
                (document["model_id"], str(document[name]))
                for document in found
                for name in _TYPE_NAMES
                if name in document
            }

    def foresee(self, wanted: Mapping[Key, InferenceConfiguration]) -> set[Key]:
        """Report as `add_missing` does, also which index of others would keep out a preset."""
        with translated_errors():
            for fields in self._foreign_indexes:
                seen: set[str] = set()
                for key in sorted(wanted):
                    document = wanted[key].model_dump()
                    values = {name: document.get(name) for name in fields}
                    if repr(values) in seen or self._configurations.find_one(values, {"_id": True}):
                        raise _kept_out(key, fields)
                    seen.add(repr(values))
        return {*wanted}

    @cached_property
    def _foreign_indexes(self) -> list[tuple[str, ...]]:
        """Find the fields of unique indexes that hold all documents and more than ours apart."""
        found = [dict(index) for index in self._configurations.list_indexes()]
        ours = [{"id"}, *({"model_id", name} for name in _TYPE_NAMES)]
        return [
            tuple(index["key"])
            for index in found
            if index.get("unique")
            and "partialFilterExpression" not in index
            and not any(fields <= index["key"].keys() for fields in ours)
        ]

    def add_missing(self, wanted: Mapping[Key, InferenceConfiguration]) -> set[Key]:
        """Add those presets that no other run has added in the meantime; at most about a thousand.

        With or without the unique index, runs at once leave one document for each key: they
        give it the same `_id`. When the server refuses one preset, the others are added.
        """
        keys = [*wanted]
        if not keys:
            return set()
        writes = [_insert_unless_there(configuration) for configuration in wanted.values()]
        with translated_errors():
            try:
                done = self._configurations.bulk_write(writes, ordered=False)
                added = done.upserted_ids or {}
            except BulkWriteError as error:
                if any(
                    failure["code"] != _DUPLICATE_KEY for failure in error.details["writeErrors"]
                ):
                    raise
                self._check_that_all_are_there(wanted, error)
                added = {
                    upserted["index"]: upserted["_id"] for upserted in error.details["upserted"]
                }
        return {keys[number] for number in added}

    def _check_that_all_are_there(
        self, wanted: Mapping[Key, InferenceConfiguration], error: BulkWriteError
    ) -> None:
        """Separate a preset that another run added from one that a foreign index refuses."""
        missing = wanted.keys() - self.existing({model_id for model_id, _ in wanted})
        if missing:
            fields = error.details["writeErrors"][0].get("keyPattern", {})
            raise _kept_out(min(missing), fields) from error


def _kept_out(key: Key, fields: Iterable[str]) -> OperationRefused:
    model_id, preset_type = key
    return OperationRefused(
        f"The unique index on ({', '.join(fields)}) of inference_configurations keeps out "
        f"{preset_type} of model {model_id!r}; drop that index, then run this again."
    )


def _insert_unless_there(configuration: InferenceConfiguration) -> UpdateOne:
    document: dict[str, Any] = configuration.model_dump()
    model_id = document.pop("model_id")
    return UpdateOne(
        {"model_id": model_id, "$or": [{name: document["preset_type"]} for name in _TYPE_NAMES]},
        {"$setOnInsert": {"_id": document["id"], **document}},
        upsert=True,
    )


BATCH = 500
"""Models in a batch; each has two presets, so a bulk write has at most 1000 of them."""


def seed_inference(database: Database[Document], *, dry_run: bool = False) -> SeedReport:
    """Add the presets that active models do not have, and the profiles that are not there."""
    repository = InferenceConfigurationRepository(database)
    seeding = _Seeding(repository, dry_run=dry_run)
    models = repository.active_models()
    for batch in in_batches(models, BATCH):
        seeding.seed_batch(batch)
    profiles = seed_profiles(database, dry_run=dry_run)
    return seeding.report(database.name).model_copy(update={"profiles": profiles})


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

    def seed_batch(self, models: Iterable[Document]) -> None:
        """Add what the models of a batch lack, and count."""
        wanted = self._wanted(models)
        there = self._repository.existing({model_id for model_id, _ in wanted})
        missing = {
            key: configuration(preset, key[0], self._now)
            for key, preset in wanted.items()
            if key not in there
        }
        add = self._repository.foresee if self._dry_run else self._repository.add_missing
        added = add(missing)
        for key, preset in wanted.items():
            counts = self._created if key in added else self._existing
            counts[preset.base_model, preset.preset_type] += 1

    def report(self, database: str) -> SeedReport:
        """Report what was found and done."""
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
            presets=tuple(count for count in counts if count.created or count.existing),
            unknown=tuple(self._unknown),
            unknown_count=self._unknown_count,
        )

    def _wanted(self, models: Iterable[Document]) -> dict[Key, InferencePreset]:
        """Choose the presets of each model, and note the models that get none."""
        wanted: dict[Key, InferencePreset] = {}
        for model in models:
            base_model = base_model_of(model)
            if not _has_id(model):
                self._note_unknown(
                    model,
                    str(model["_id"]),
                    "it has no id to refer to it by",
                )
            elif base_model is None:
                self._note_unknown(model, model["id"], evidence_of(model))
            else:
                for preset in presets_of(base_model):
                    wanted[model["id"], preset.preset_type] = preset
        return wanted

    def _note_unknown(self, model: Document, model_id: str, evidence: str) -> None:
        self._unknown_count += 1
        if len(self._unknown) < MAX_EXAMPLES:
            name = str(model.get("name", "without a name"))
            self._unknown.append(ModelWithoutPresets(model_id=model_id, name=name, seen=evidence))


def _has_id(model: Document) -> bool:
    """Check for an id that names the model as it is stored."""
    id_ = model.get("id")
    return isinstance(id_, str) and bool(id_) and BROKEN_TEXT not in id_
