"""Queries of `inference_configurations`, and of the models they belong to."""

from collections.abc import Collection, Iterator, Mapping
from typing import Any

from pymongo import UpdateOne
from pymongo.database import Database
from pymongo.errors import BulkWriteError

from db.connection import Document, translated_errors
from db.documents.inference_configuration import InferenceConfiguration
from db.errors import OperationRefused

Key = tuple[str, str]
"""Id of a model, and type of a preset."""

_DUPLICATE_KEY = 11000
_MODEL_FIELDS = ("id", "name", "base_model", "metadata.base_model", "metadata.baseModel")


class InferenceConfigurationRepository:
    """Reads active models and adds presets; what is there is never changed.

    Also a document that names its type `configuration_type`, as the app does, counts as there.
    """

    def __init__(self, database: Database[Document]) -> None:
        self._models = database["database_models"]
        self._configurations = database["inference_configurations"]

    def active_models(self) -> Iterator[Document]:
        """Read what tells the base model of every model that is active and not deleted."""
        with translated_errors():
            yield from self._models.find(
                {"is_active": True, "deleted_at": None}, dict.fromkeys(_MODEL_FIELDS, True)
            )

    def existing(self, model_ids: Collection[str]) -> set[Key]:
        """Find which presets some models have.

        Args:
            model_ids: At most a few thousand.
        """
        fields = {"_id": False, "model_id": True, "preset_type": True, "configuration_type": True}
        with translated_errors():
            found = self._configurations.find({"model_id": {"$in": [*model_ids]}}, fields)
            return {
                (one["model_id"], str(one.get("preset_type") or one.get("configuration_type")))
                for one in found
            }

    def add_missing(self, wanted: Mapping[Key, InferenceConfiguration]) -> set[Key]:
        """Add those presets that nobody has added in the meantime.

        With or without the unique index, runs at once leave one document for each key: they
        give it the same `_id`.

        Args:
            wanted: Presets by key, at most about a thousand.

        Returns:
            The keys of what was added.

        Raises:
            OperationRefused: The server refuses one of them; the others are added.
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
                if any(one["code"] != _DUPLICATE_KEY for one in error.details["writeErrors"]):
                    raise
                self._check_that_all_are_there(wanted, error)
                added = {one["index"]: one["_id"] for one in error.details["upserted"]}
        return {keys[number] for number in added}

    def _check_that_all_are_there(
        self, wanted: Mapping[Key, InferenceConfiguration], error: BulkWriteError
    ) -> None:
        """Tell a preset that somebody else added from one that a foreign index keeps out."""
        missing = wanted.keys() - self.existing({model_id for model_id, _ in wanted})
        if missing:
            model_id, preset_type = min(missing)
            fields = ", ".join(error.details["writeErrors"][0].get("keyPattern", {}))
            raise OperationRefused(
                f"The unique index on ({fields}) of inference_configurations keeps out "
                f"{preset_type} of model {model_id!r}; drop that index, then run this again."
            ) from error


def _insert_unless_there(configuration: InferenceConfiguration) -> UpdateOne:
    document: dict[str, Any] = configuration.model_dump()
    model_id = document.pop("model_id")
    names = ("preset_type", "configuration_type")
    return UpdateOne(
        {"model_id": model_id, "$or": [{name: document["preset_type"]} for name in names]},
        {"$setOnInsert": {"_id": document["id"], **document}},
        upsert=True,
    )
