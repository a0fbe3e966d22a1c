"""Which field of which collection names a document of another collection.

MongoDB does not check references; `audit-db` does.
"""

from dataclasses import dataclass

from db.schema.collections import COLLECTIONS


@dataclass(frozen=True)
class Relation:
    """A field that names a document of another collection, or is null.

    Attributes:
        parent: The collection that it points into.
        owned: Whether what points goes when its parent goes; it then points by `id`.
        derived: Whether what points was computed of its parent and has no mark of its own: it stays
            while the parent is marked as deleted, and is removed for good together with it. It
            points by `id`.
        key: The field of the parent that it holds.
    """

    collection: str
    field: str
    parent: str
    owned: bool = False
    derived: bool = False
    key: str = "id"


RELATIONS = (
    Relation("scenes", "project_id", "projects", owned=True),
    Relation("scenes", "parent_scene_id", "scenes", owned=True),
    Relation("clips", "scene_id", "scenes", owned=True),
    Relation("clips", "project_id", "projects"),
    Relation("clips", "parent_clip_id", "clips"),
    Relation("clips", "character_id", "characters"),
    Relation("clips", "comfyui_server_id", "comfyui_servers"),
    Relation("clips", "style_template_id", "style_templates"),
    Relation("characters", "project_id", "projects", owned=True),
    Relation("style_templates", "project_id", "projects", owned=True),
    Relation("facefusion_jobs", "character_id", "characters"),
    Relation("facefusion_jobs", "project_id", "projects"),
    Relation("face_measures", "character_id", "characters", derived=True),
    Relation("facefusion_presets", "user_id", "users"),
    Relation("generation_batches", "project_id", "projects"),
    Relation("generation_batches", "clip_id", "clips"),
    Relation("generation_batches", "comfyui_server_id", "comfyui_servers"),
    Relation("generation_pool", "project_id", "projects"),
    Relation("generation_pool", "source_clip_id", "clips"),
    Relation("inference_configurations", "model_id", "database_models"),
    Relation("active_backend_models", "backend_id", "backends"),
    Relation("images", "user_id", "users"),
    Relation("templates", "image_id", "images"),
    Relation("templates", "original_image_id", "images"),
    Relation("template_preprocessing", "template_id", "templates"),
    Relation("template_preprocessing", "original_image_id", "images"),
    Relation("template_preprocessing", "masked_image_id", "images"),
    Relation("batch_tasks", "user_id", "users"),
    Relation("batch_tasks", "husband_photo_id", "images"),
    Relation("batch_tasks", "wife_photo_id", "images"),
    Relation("faceswap_tasks", "user_id", "users"),
    Relation("faceswap_tasks", "template_id", "templates"),
    Relation("faceswap_tasks", "husband_image_id", "images"),
    Relation("faceswap_tasks", "husband_photo_id", "images"),
    Relation("faceswap_tasks", "wife_image_id", "images"),
    Relation("faceswap_tasks", "wife_photo_id", "images"),
    Relation("faceswap_tasks", "result_image_id", "images"),
    Relation("faceswap_tasks", "batch_id", "batch_tasks", key="batch_id"),
)

SOFT_DELETABLE = frozenset(
    collection.name for collection in COLLECTIONS if collection.soft_deletable
)
"""Collections whose documents are marked as deleted instead of removed."""


def owned_by(parent: str) -> tuple[Relation, ...]:
    """Choose the relations by which documents belong to a parent."""
    return tuple(relation for relation in RELATIONS if relation.owned and relation.parent == parent)


DERIVED = tuple(relation for relation in RELATIONS if relation.derived)
"""The relations by which documents are computed of a parent."""
