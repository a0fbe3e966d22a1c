"""How the app's back end asks the database: its own indexes, and every list that it sorts.

Taken from its `database.py` and `scripts/init_db.py` (indexes), and from its `server.py`,
`services/export_service.py`, `api/v1/facefusion_router.py` and `repositories/` (lists).
"""

from dataclasses import dataclass
from typing import Any

from tests.support.db.database_state import Data

_INDEXES = {
    "projects": "id U, -created_at",
    "scenes": "id U, project_id order, parent_scene_id, is_alternate",
    "clips": "id U, scene_id order, scene_id timeline_position",
    "characters": "id U, project_id name",
    "style_templates": "id U, project_id name",
    "comfyui_servers": "id U, url U, is_active",
    "generation_batches": "id U, project_id -created_at, status",
    "facefusion_jobs": ("id U, status -priority created_at, character_id, project_id -created_at"),
    "facefusion_presets": "id U, name, operation_type is_public",
    "database_models": "id U, is_active type, base_model is_active",
    "inference_configurations": "model_id preset_type U",
    "civitai_models": "id U, type nsfw",
    "users": "id U, username U, email U",
}


def create_app_indexes(database: Data, *names: str) -> None:
    """Create the app's indexes of some collections, or of all, as the app does when it starts."""
    for name in names or _INDEXES:
        for written in _INDEXES[name].split(", "):
            *fields, last = written.split()
            unique = last == "U"
            keys = fields if unique else [*fields, last]
            database[name].create_index(
                [(key.lstrip("-"), -1 if key.startswith("-") else 1) for key in keys],
                **({"unique": True} if unique else {}),
            )


@dataclass(frozen=True)
class SortedList:
    """A list that the app sorts by fields that several documents may share.

    Attributes:
        sort: Fields; a dash before a name means descending.
        limit: Most documents that the app asks the server for; 0 when it asks for all.
    """

    collection: str
    query: dict[str, Any]
    sort: str
    limit: int = 0

    def __str__(self) -> str:
        return f"{self.collection} {' '.join(self.query) or 'all'} by {self.sort}"

    def read(self, database: Data) -> list[Any]:
        """The `_id` of each document, in the order in which the app gets them."""
        keys = [(key.lstrip("-"), -1 if key.startswith("-") else 1) for key in self.sort.split()]
        found = database[self.collection].find(self.query, {"_id": True}).sort(keys)
        return [document["_id"] for document in found.limit(self.limit)]


_PROJECT, _POOL, _JOBS, _STYLES = (
    {"project_id": "p1"},
    "generation_pool",
    "facefusion_jobs",
    "style_templates",
)
_CONTENT, _TAGS = {"content_type": "image"}, {"tags": {"$in": ["a", "b"]}}

SORTED_LISTS = (
    SortedList("projects", {}, "-created_at"),
    SortedList("projects", {}, "-created_at", 100),
    SortedList("scenes", _PROJECT, "order"),
    SortedList("clips", _PROJECT, "order"),
    SortedList("clips", {"scene_id": "s1"}, "order"),
    SortedList("clips", {"scene_id": "s1"}, "timeline_position"),
    SortedList(_JOBS, {}, "-created_at", 50),
    SortedList(_JOBS, {"character_id": "c1"}, "-created_at", 50),
    SortedList(_JOBS, {"status": "processing"}, "-created_at", 50),
    SortedList(_JOBS, {"character_id": "c1", "status": "processing"}, "-created_at", 50),
    SortedList(_POOL, _PROJECT, "-created_at"),
    SortedList(_POOL, _PROJECT | _CONTENT, "-created_at"),
    SortedList(_POOL, _PROJECT | _TAGS, "-created_at"),
    SortedList(_POOL, _PROJECT | _CONTENT | _TAGS, "-created_at"),
    SortedList(_STYLES, {}, "-use_count"),
    SortedList(_STYLES, {"category": "custom"}, "-use_count"),
    SortedList(_STYLES, {"is_public": True}, "-use_count"),
    SortedList(_STYLES, {"category": "custom", "is_public": True}, "-use_count"),
    SortedList("queue_jobs", {}, "-created_at"),
    SortedList("queue_jobs", {"status": "processing"}, "-priority created_at"),
    SortedList("queue_jobs", {"status": {"$in": ["queued", "processing"]}}, "-priority created_at"),
    SortedList("queue_jobs", _PROJECT, "-created_at"),
    SortedList("batch_jobs", {}, "-created_at", 100),
    SortedList("batch_jobs", {"status": {"$in": ["pending", "processing"]}}, "-created_at"),
    SortedList("gallery_items", _CONTENT, "-created_at"),
)
