"""The registry: every collection, its document, its indexes. No other module defines them.

docs/schema.md describes the app's schemas and how conflicts between them are decided. Every
collection gets a validator, made from its document, except those of the app alone.
"""

from dataclasses import dataclass

from pydantic import BaseModel

from db.schema.documents.app import (
    BatchJob,
    GalleryItem,
    ModelConfiguration,
    ModelPreset,
    QueueJob,
)
from db.schema.documents.base import SoftDeletable
from db.schema.documents.characters import StoredCharacter
from db.schema.documents.couple_swap import (
    BatchTask,
    CoupleImage,
    CoupleTemplate,
    CrawlTask,
    FaceswapTask,
    TemplatePreprocessing,
    User,
)
from db.schema.documents.faces import FacefusionJob, OperationRecord, StoredPreset
from db.schema.documents.measures import GalleryMeasure
from db.schema.documents.models import (
    ActiveBackendModel,
    Backend,
    CatalogImport,
    CivitaiModel,
    ComfyuiServer,
    DatabaseModel,
    HostCheckRecord,
    InferenceConfiguration,
    ModelProfile,
    ModelSyncStatus,
)
from db.schema.documents.story import (
    Clip,
    GenerationBatch,
    GenerationPoolItem,
    Project,
    Scene,
    StyleTemplate,
)
from db.schema.documents.system import Lock, MigrationRecord
from db.schema.indexes import WITHOUT_CASE, Index

_ID = Index(("id",), unique=True)
_DELETED = Index(("deleted_at",))
_LEGACY_ID = Index(("legacy_id",), unique=True, sparse=True)
PRESET_NAMES = Index(
    ("name", "deleted_at"), unique=True, partial={"unique_name": True}, collation=WITHOUT_CASE
)
"""Holds names of presets apart that `save-preset` saved; the app's own may share one."""
PROJECT_CHARACTERS = Index(("project_id", "name"))
CHARACTER_NAMES = Index(("name",), collation=WITHOUT_CASE)
"""Finds characters by a name in any case. It changes no answer of the app, which names no collation
and so never gets a list from it."""
KEPT_SECONDS = 7 * 24 * 3600
"""How long a check of a host is kept."""


@dataclass(frozen=True)
class Collection:
    """A collection of the StoryCanvas database.

    Attributes:
        indexes: All its indexes but the one on `_id`.
        app_owned: Whether only the app creates, indexes and writes it; it is read here, no more.
    """

    name: str
    purpose: str
    document: type[BaseModel]
    indexes: tuple[Index, ...] = ()
    app_owned: bool = False

    @property
    def soft_deletable(self) -> bool:
        """Whether its documents are marked as deleted instead of removed."""
        return issubclass(self.document, SoftDeletable)


def _unique_until_deleted(field: str) -> Index:
    """Hold the values of a field apart among the documents that are not deleted.

    The app looks for a value alone and names no collation; an index that is partial, or has a
    collation, would not serve it.
    """
    return Index((field, "deleted_at"), unique=True)


def _plain(*indexes: str) -> tuple[Index, ...]:
    """Make indexes of the names of their fields, separated by spaces."""
    return tuple(Index(tuple(fields.split())) for fields in indexes)


COLLECTIONS = (
    Collection(
        "projects",
        "Stories; everything else hangs on them.",
        Project,
        (
            _ID,
            *_plain("-created_at", "name"),
            _DELETED,
            Index(weights={"name": 10, "description": 3}),
        ),
    ),
    Collection(
        "scenes",
        "Scenes of a project, with alternates and scenes inside of scenes.",
        Scene,
        (
            _ID,
            *_plain("project_id order", "parent_scene_id", "is_alternate"),
            _DELETED,
            Index(weights={"name": 10, "description": 3, "lyrics": 1}),
        ),
    ),
    Collection(
        "clips",
        "The pictures and films that a scene is made of.",
        Clip,
        (
            _ID,
            *_plain("scene_id order", "scene_id timeline_position", "project_id order"),
            *_plain("project_id -created_at", "character_id"),
            _DELETED,
        ),
    ),
    Collection(
        "characters",
        "Who plays in a project, and what was made of each face.",
        StoredCharacter,
        (_ID, PROJECT_CHARACTERS, CHARACTER_NAMES, _DELETED),
    ),
    Collection(
        "style_templates",
        "Prompts and settings that give pictures one style.",
        StyleTemplate,
        (_ID, *_plain("project_id name", "-use_count"), _DELETED),
    ),
    Collection(
        "facefusion_jobs",
        "The queue of face work that the app asks for.",
        FacefusionJob,
        (
            _ID,
            *_plain("status -priority created_at", "status lease_expires_at", "character_id"),
            *_plain("project_id -created_at"),
        ),
    ),
    Collection(
        "facefusion_presets",
        "Saved parameters of a face operation.",
        StoredPreset,
        (_ID, *_plain("name", "operation_type is_public"), PRESET_NAMES, _DELETED),
    ),
    Collection(
        "facefusion_operations",
        "The ledger: every face operation ever done, by its operation key.",
        OperationRecord,
        (
            *_plain("-created_at", "effects.applied_at", "effects.character_id -created_at"),
            # What an operation usually takes, by its model; sizes are compared in the documents.
            *_plain(
                "operation_type engine parameters.enhancement_model "
                "parameters.face_swapper_model -created_at"
            ),
            Index(("output.sha256",), sparse=True),
            Index(("earlier_outputs.sha256",), sparse=True),
        ),
    ),
    Collection(
        "face_measures",
        "Likeness and age of the pictures in galleries, each measured once.",
        GalleryMeasure,
        _plain("character_id"),
    ),
    Collection(
        "database_models",
        "Model files that the app can generate with.",
        DatabaseModel,
        (
            _ID,
            *_plain("is_active type", "base_model is_active", "name", "source"),
            *_plain("civitai_info.modelId", "filename", "catalog_model_id"),
            Index(weights={"name": 1, "civitai_info.description": 1, "civitai_info.tags": 1}),
        ),
    ),
    Collection(
        "inference_configurations",
        "Generation parameters of a model, for quality and for speed.",
        InferenceConfiguration,
        # The app's own script writes no preset_type, so its presets are not in this index. The app
        # creates (model_id, preset_type) without a condition: MongoDB would refuse the same name.
        (
            *_plain("model_id"),
            Index(
                ("preset_type", "model_id"),
                unique=True,
                partial={"preset_type": {"$type": "string"}},
            ),
        ),
    ),
    Collection(
        "civitai_models",
        "What Civitai's catalog holds about models.",
        CivitaiModel,
        (
            _ID,
            *_plain("type nsfw", "type", "base_models", "base_models type", "type base_models"),
            *_plain("base_models nsfwLevel", "modelVersions.baseModelType", "nsfwLevel"),
            *_plain("allowDerivatives", "allowCommercialUse", "modelVersions.files.hashes.SHA256"),
            *_plain("modelVersions.files.hashes.BLAKE3", "modelVersions.files.hashes.AutoV2"),
            *_plain("modelVersions.files.hashes.AutoV3", "modelVersions.files.name", "file_keys"),
            *_plain("name_keys"),
            Index(
                weights={
                    "name": 10,
                    "modelVersions.name": 8,
                    "tags": 5,
                    "description": 3,
                    "modelVersions.description": 2,
                }
            ),
        ),
    ),
    Collection(
        "generation_batches",
        "Batches of generation jobs and how far they are.",
        GenerationBatch,
        (_ID, *_plain("project_id -created_at", "status", "status -created_at")),
    ),
    Collection(
        "users",
        "Who may use the app.",
        User,
        (
            _ID,
            _unique_until_deleted("username"),
            _unique_until_deleted("email"),
            _LEGACY_ID,
            _DELETED,
        ),
    ),
    Collection(
        "comfyui_servers",
        "The ComfyUI servers that the app generates with.",
        ComfyuiServer,
        (_ID, _unique_until_deleted("url"), Index(("is_active",)), _DELETED),
    ),
    Collection(
        "generation_pool",
        "Pictures and films kept for use in any clip of a project.",
        GenerationPoolItem,
        (
            _ID,
            # None on `tags`: where few items have a tag, it would put equal times in another order.
            *_plain("clip_id", "status -created_at", "project_id -created_at"),
            *_plain("project_id content_type"),
        ),
    ),
    Collection(
        "active_backend_models",
        "Which models each backend can load.",
        ActiveBackendModel,
        (_ID, *_plain("backend_id model_type", "model_id", "is_active -last_seen")),
    ),
    Collection(
        "backends",
        "Whether each backend is online, a projection of comfyui_servers.",
        Backend,
        (_ID, Index(("is_online", "-last_check"))),
    ),
    Collection(
        "model_sync_status",
        "How far each local model is matched with Civitai.",
        ModelSyncStatus,
        (
            Index(("model_id",), unique=True),
            *_plain("sync_status -last_sync_attempt", "civitai_model_id"),
        ),
    ),
    Collection(
        "catalog_imports",
        "How far each import of Civitai's catalog has come.",
        CatalogImport,
        (_ID,),
    ),
    Collection(
        "host_checks",
        "The result of each check of a host, for seven days.",
        HostCheckRecord,
        (
            Index(("kind", "name", "-checked_at")),
            Index(("checked_at",), expire_after=KEPT_SECONDS),
        ),
    ),
    Collection(
        "model_profiles",
        "Settings that suit a model, a base model or all checkpoints.",
        ModelProfile,
        (
            Index(("id",), unique=True, sparse=True),
            *_plain("linked_model_ids", "linked_base_models", "priority"),
            *_plain("linked_model_ids priority"),
        ),
    ),
    Collection(
        "images",
        "Pictures of the couple face-swap: sources, templates and results.",
        CoupleImage,
        (_ID, _LEGACY_ID, *_plain("user_id", "image_type", "user_id -uploaded_at", "tags")),
    ),
    Collection(
        "templates",
        "Pictures of couples whose faces can be replaced.",
        CoupleTemplate,
        (
            _ID,
            _LEGACY_ID,
            Index(("category",)),
            Index(("image_id",), unique=True, partial={"image_id": {"$type": "string"}}),
            Index(("is_active", "-popularity_score")),
        ),
    ),
    Collection(
        "template_preprocessing",
        "Faces that the couple face-swap found in its templates.",
        TemplatePreprocessing,
        (
            _ID,
            _LEGACY_ID,
            Index(("template_id",), unique=True, partial={"template_id": {"$type": "string"}}),
        ),
    ),
    Collection(
        "batch_tasks",
        "Tasks of the couple face-swap that were ordered together.",
        BatchTask,
        (
            _ID,
            _LEGACY_ID,
            Index(("batch_id",), unique=True, partial={"batch_id": {"$type": "string"}}),
            *_plain("user_id", "status created_at"),
        ),
    ),
    Collection(
        "faceswap_tasks",
        "Tasks of the couple face-swap.",
        FaceswapTask,
        (
            _ID,
            _LEGACY_ID,
            Index(("task_id",), unique=True, partial={"task_id": {"$type": "string"}}),
            *_plain("status", "user_id", "status created_at", "user_id -created_at", "template_id"),
            *_plain("status lease_expires_at", "batch_id status"),
        ),
    ),
    Collection(
        "crawl_tasks",
        "Tasks of collecting pictures for the couple face-swap.",
        CrawlTask,
        (_ID, _LEGACY_ID, Index(("status", "created_at"))),
    ),
    Collection("queue_jobs", "The app's queue of pictures and films.", QueueJob, app_owned=True),
    Collection("batch_jobs", "The app's batches and how far they are.", BatchJob, app_owned=True),
    Collection(
        "gallery_items",
        "What the app generated, once more by itself.",
        GalleryItem,
        app_owned=True,
    ),
    Collection(
        "model_configurations",
        "Generation parameters of models, set in the app.",
        ModelConfiguration,
        app_owned=True,
    ),
    Collection(
        "model_presets",
        "Saved generation parameters of models, set in the app.",
        ModelPreset,
        app_owned=True,
    ),
    Collection(
        "migrations",
        "Which migrations this database has been through.",
        MigrationRecord,
    ),
    Collection(
        "locks",
        "Locks for what only one run at a time may do.",
        Lock,
    ),
)
