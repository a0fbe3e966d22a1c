"""A story to delete, beside another story that must stay."""

from datetime import UTC, datetime
from typing import Any

from tests.support.db.database_state import Data

NOW = datetime(2026, 11, 21, 12, 0, 0, 5000, tzinfo=UTC)
EARLIER = datetime(2026, 11, 1, tzinfo=UTC)
LATER = datetime(2026, 11, 22, tzinfo=UTC)
OWNER = "user-1"

PROJECT = "story"
SCENE, INNER = "scene", "scene-inside"
STORY: dict[str, dict[str, dict[str, Any]]] = {
    "projects": {PROJECT: {}, "other": {}},
    "scenes": {
        SCENE: {"project_id": PROJECT},
        INNER: {"project_id": PROJECT, "parent_scene_id": SCENE},
        "other-scene": {"project_id": "other", "parent_scene_id": None},
    },
    "clips": {
        "clip": {"scene_id": SCENE},
        "clip-inside": {"scene_id": INNER, "project_id": PROJECT},
        "other-clip": {"scene_id": "other-scene"},
    },
    "characters": {"mira": {"project_id": PROJECT}, "other-mira": {"project_id": "other"}},
    "style_templates": {"ink": {"project_id": PROJECT}, "for-all": {"project_id": None}},
}
STORY_IDS = {PROJECT, SCENE, INNER, "clip", "clip-inside", "mira", "ink"}
WHOLE_STORY = {"projects": 1, "scenes": 2, "clips": 2, "characters": 1, "style_templates": 1}


def add_story(database: Data, marks: dict[str, dict[str, Any]] | None = None) -> None:
    """Store the story; `marks` gives documents more or other fields by their `id`."""
    there = {"deleted_at": None, "deleted_by": None}
    for collection, documents in STORY.items():
        database[collection].insert_many(
            {"_id": f"_{own_id}", "id": own_id, "name": own_id}
            | (there | fields | (marks or {}).get(own_id, {}))
            for own_id, fields in documents.items()
        )


def snapshot(database: Data) -> dict[str, dict[str, Any]]:
    """Every document of the story's collections, by `id`."""
    return {document["id"]: document for name in STORY for document in database[name].find()}


def marked(database: Data) -> dict[str, tuple[Any, Any]]:
    """The marks of the deleted documents."""
    return {
        document_id: (document["deleted_at"], document["deleted_by"])
        for document_id, document in snapshot(database).items()
        if document["deleted_at"] is not None
    }
