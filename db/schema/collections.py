"""The registry: every collection, its document, its indexes. No other module defines them.

docs/schema.md describes the app's schemas and how conflicts between them are decided. Every
collection gets a validator, made from its document.
"""

from dataclasses import dataclass

from pydantic import BaseModel

from db.schema.documents.base import SoftDeletable
from db.schema.documents.characters import StoredCharacter
from db.schema.documents.couple_swap import (
    CoupleImage,
    CoupleTemplate,
    CrawlTask,
    FaceswapTask,
    User,
)
from db.schema.documents.faces import FacefusionJob, OperationRecord, StoredPreset
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
from db.schema.indexes import NOT_DELETED, WITHOUT_CASE, Index

_ID = Index(("id",), unique=True)
_DELETED = Index(("deleted_at",))
_LEGACY_ID = Index(("legacy_id",), unique=True, sparse=True)
KEPT_SECONDS = 7 * 24 * 3600
"""How long a check of a host is kept."""


@dataclass(frozen=True)
class Collection:
    """One collection of the StoryCanvas database.

    Attributes:
        indexes: All its indexes but the one on `_id`.
    """

    name: str
    purpose: str
    document: type[BaseModel]
    indexes: tuple[Index, ...] = ()

    @property
    def soft_deletable(self) -> bool:
        """Whether its documents are marked as deleted instead of removed."""
        return issubclass(self.document, SoftDeletable)


COLLECTIONS = (
    Collection(
        "projects",
        "Stories; everything else hangs on one of them.",
        Project,
        (_ID, Index(("-created_at",)), Index(("name",)), _DELETED),
    ),
    Collection(
        "scenes",
        "Scenes of a project, with alternates and scenes inside of scenes.",
        Scene,
        (
            _ID,
            Index(("project_id", "order")),
            Index(("parent_scene_id",)),
            Index(("is_alternate",)),
            _DELETED,
        ),
    ),
    Collection(
        "clips",
        "The pictures and films that a scene is made of.",
        Clip,
        (
            _ID,
            Index(("scene_id", "order")),
            Index(("scene_id", "timeline_position")),
            Index(("project_id", "-created_at")),
            Index(("character_id",)),
            _DELETED,
        ),
    ),
    Collection(
        "characters",
        "Who plays in a project, and what was made of each face.",
        StoredCharacter,
        (_ID, Index(("project_id", "name")), _DELETED),
    ),
    Collection(
        "style_templates",
        "Prompts and settings that give pictures one style.",
        StyleTemplate,
        (_ID, Index(("project_id", "name")), Index(("-use_count",)), _DELETED),
    ),
    Collection(
        "facefusion_jobs",
        "The queue of face work that the app asks for.",
        FacefusionJob,
        (
            _ID,
            Index(("status", "-priority", "created_at")),
            Index(("status", "lease_expires_at")),
            Index(("character_id",)),
            Index(("project_id", "-created_at")),
        ),
    ),
    Collection(
        "facefusion_presets",
        "Saved parameters of a face operation.",
        StoredPreset,
        (_ID, Index(("name",)), Index(("operation_type", "is_public")), _DELETED),
    ),
    Collection(
        "facefusion_operations",
        "The ledger: every face operation ever done, by its operation key.",
        OperationRecord,
        (
            Index(("-created_at",)),
            Index(("effects.applied_at",)),
            Index(("effects.character_id",)),
        ),
    ),
    Collection(
        "database_models",
        "Model files that the app can generate with.",
        DatabaseModel,
        (
            _ID,
            Index(("is_active", "type")),
            Index(("base_model", "is_active")),
            Index(("name",)),
            Index(("source",)),
            Index(("civitai_info.modelId",)),
            Index(("filename",)),
            Index(("catalog_model_id",)),
            Index(weights={"name": 1, "civitai_info.description": 1, "civitai_info.tags": 1}),
        ),
    ),
    Collection(
        "inference_configurations",
        "Generation parameters of a model, for quality and for speed.",
        InferenceConfiguration,
        (Index(("model_id", "preset_type"), unique=True),),
    ),
    Collection(
        "civitai_models",
        "What Civitai's catalog holds about models.",
        CivitaiModel,
        (
            _ID,
            Index(("type", "nsfw")),
            Index(("type",)),
            Index(("base_models",)),
            Index(("base_models", "type")),
            Index(("type", "base_models")),
            Index(("base_models", "nsfwLevel")),
            Index(("modelVersions.baseModelType",)),
            Index(("nsfwLevel",)),
            Index(("allowDerivatives",)),
            Index(("allowCommercialUse",)),
            Index(("modelVersions.files.hashes.SHA256",)),
            Index(("modelVersions.files.hashes.BLAKE3",)),
            Index(("modelVersions.files.hashes.AutoV2",)),
            Index(("modelVersions.files.hashes.AutoV3",)),
            Index(("modelVersions.files.name",)),
            Index(("file_keys",)),
            Index(("name_keys",)),
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
        (
            _ID,
            Index(("project_id", "-created_at")),
            Index(("status",)),
            Index(("status", "-created_at")),
        ),
    ),
    Collection(
        "users",
        "Who may use the app.",
        User,
        (
            _ID,
            Index(("username",), unique=True, partial=NOT_DELETED, collation=WITHOUT_CASE),
            Index(("email",), unique=True, partial=NOT_DELETED),
            _LEGACY_ID,
            _DELETED,
        ),
    ),
    Collection(
        "comfyui_servers",
        "The ComfyUI servers that the app generates with.",
        ComfyuiServer,
        (
            _ID,
            Index(("url",), unique=True, partial=NOT_DELETED),
            Index(("is_active",)),
            _DELETED,
        ),
    ),
    Collection(
        "generation_pool",
        "Pictures and films kept for use in any clip of a project.",
        GenerationPoolItem,
        (
            _ID,
            Index(("clip_id",)),
            Index(("status", "-created_at")),
            Index(("project_id", "-created_at")),
            Index(("project_id", "content_type")),
            Index(("tags",)),
        ),
    ),
    Collection(
        "active_backend_models",
        "Which models each backend can load.",
        ActiveBackendModel,
        (
            _ID,
            Index(("backend_id", "model_type")),
            Index(("model_id",)),
            Index(("is_active", "-last_seen")),
        ),
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
            Index(("sync_status", "-last_sync_attempt")),
            Index(("civitai_model_id",)),
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
            Index(("linked_model_ids",)),
            Index(("linked_base_models",)),
            Index(("priority",)),
            Index(("linked_model_ids", "priority")),
        ),
    ),
    Collection(
        "images",
        "Pictures of the couple face-swap: sources, templates and results.",
        CoupleImage,
        (
            _ID,
            _LEGACY_ID,
            Index(("user_id",)),
            Index(("image_type",)),
            Index(("user_id", "-uploaded_at")),
            Index(("tags",)),
        ),
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
        "faceswap_tasks",
        "Tasks of the couple face-swap.",
        FaceswapTask,
        (
            _ID,
            _LEGACY_ID,
            Index(("status",)),
            Index(("user_id",)),
            Index(("status", "created_at")),
            Index(("user_id", "-created_at")),
            Index(("template_id",)),
        ),
    ),
    Collection(
        "crawl_tasks",
        "Tasks of collecting pictures for the couple face-swap.",
        CrawlTask,
        (_ID, _LEGACY_ID, Index(("status", "created_at"))),
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
