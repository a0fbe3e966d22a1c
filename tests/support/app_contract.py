"""What the app's back end demands of the documents that it reads, and a check of documents.

The back end reads a list as a whole: one document that its response models refuse makes the answer
500 for all. The models here state those demands; the docstring of each names the file of the back
end (`backend/`) that makes them. `SORTED` names the fields that its lists are sorted by.
"""

import json
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, Strict, ValidationError
from pydantic_core import to_jsonable_python

Document = dict[str, Any]
Fault = tuple[str, str]
"""The field, without the numbers of list items, and what is wrong with it."""

InPath = Annotated[str, Field(pattern=r"^[^/]+$")]
"""An id that stands in a path of the API, where a slash would end it."""
Stored = Annotated[datetime, Strict()]
"""A time that must be a BSON date: the back end calls its methods."""
_DEFAULT = datetime(2026, 1, 1, tzinfo=UTC)
"""Stands for the moment of reading, which the back end takes for a time that is missing."""
Names = list[str]
Object = dict[str, Any]


def _sortable(history: list[Object]) -> list[Object]:
    kinds = {type(entry.get("created_at", "")) for entry in history}
    if len(kinds) > 1:
        raise ValueError("the times of the entries are of several types, so they cannot be sorted")
    return history


class Demand(BaseModel):
    """Base of the demands: other fields are ignored, as the back end ignores them."""

    model_config = ConfigDict(extra="ignore", populate_by_name=True, protected_namespaces=())


class Dated(Demand):
    """Times that may be missing but not null."""

    created_at: datetime = _DEFAULT
    updated_at: datetime = _DEFAULT


class Project(Dated):
    """`server.py` (Project), `dtos/project_dtos.py`; raw in the timeline."""

    id: InPath
    name: str
    description: str | None = ""
    music_file_path: str | None = Field(None, alias="music_file")
    music_duration: float | None = None


class Scene(Dated):
    """`server.py` (Scene), `dtos/scene_dtos.py`; raw in the timeline."""

    id: InPath
    project_id: str
    name: str
    description: str | None = ""
    lyrics: str | None = ""
    order: int = 0
    parent_scene_id: str | None = None
    alternate_number: int = 0
    is_alternate: bool = False
    duration: float = 0.0
    timeline_start: float = 0.0


class GeneratedContent(Demand):
    """`server.py` (GeneratedContent), `dtos/clip_dtos.py`: a picture or film in a clip."""

    content_type: Literal["image", "video"]
    url: str | None = None
    prompt: str
    negative_prompt: str | None = ""
    server_id: str
    server_name: str
    model_name: str
    generation_params: Object = {}
    is_selected: bool = False
    created_at: datetime = _DEFAULT


class Clip(Dated):
    """`server.py` (Clip), `dtos/clip_dtos.py`; raw in the timeline."""

    id: InPath
    scene_id: str
    name: str
    lyrics: str | None = ""
    length: float = 5.0
    timeline_position: float = 0.0
    order: int = 0
    parent_clip_id: str | None = None
    alternate_number: int = 0
    is_alternate: bool = False
    image_prompt: str | None = ""
    video_prompt: str | None = ""
    generated_images: list[GeneratedContent] = []
    generated_videos: list[GeneratedContent] = []
    selected_image_id: str | None = None
    selected_video_id: str | None = None
    character_id: str | None = None
    active_version: int = 1


class HistoryEntry(Demand):
    """`dtos/character_dtos.py` (FaceFusionProcessingHistoryEntry)."""

    id: str = ""
    operation_type: str
    input_image_url: str
    output_image_url: str
    parameters: Object = {}
    success: bool = True
    error_message: str | None = None
    processing_time_seconds: float | None = None
    created_at: datetime = _DEFAULT


class Gallery(Demand):
    """`dtos/character_dtos.py` (FaceFusionOutputGallery); counted in the v1 router."""

    enhanced_faces: Names = []
    age_variants: dict[int, str] = {}
    swapped_faces: Names = []
    edited_expressions: Names = []
    custom_outputs: Names = []


class Character(Dated):
    """`server.py` (Character), `dtos/character_dtos.py`, `api/v1/facefusion_router.py`."""

    id: InPath
    project_id: str
    name: str
    description: str | None = ""
    reference_images: Names = []
    lora: str | None = None
    trigger_words: str | None = ""
    style_notes: str | None = ""
    generation_method: str | None = None
    face_image: str | None = None
    generation_params: Object | None = {}
    facefusion_processing_history: list[HistoryEntry] = []
    facefusion_preferred_settings: Object | None = None
    facefusion_output_gallery: Gallery = Gallery()


class CharacterHistory(Demand):
    """`api/v1/facefusion_router.py`: it sorts the stored entries by their time."""

    facefusion_processing_history: Annotated[list[Object], AfterValidator(_sortable)] = []


class Lora(Demand):
    """`server.py` (LoraConfig)."""

    name: str
    weight: float = 1.0


class StyleTemplate(Dated):
    """`server.py` (StyleTemplate), `dtos/template_dtos.py`."""

    id: InPath
    name: str
    description: str | None = ""
    category: str = "custom"
    model: str | None = None
    negative_prompt: str | None = ""
    loras: list[Lora] = []
    params: Object = {}
    preview_url: str | None = None
    is_public: bool = False
    created_by: str | None = None
    use_count: int = 0


class ComfyuiServer(Demand):
    """`server.py` (ComfyUIServer), `dtos/comfyui_dtos.py`."""

    id: InPath
    name: str
    url: str
    server_type: str = "standard"
    api_key: str | None = None
    endpoint_id: str | None = None
    is_active: bool = True
    created_at: datetime = _DEFAULT


class FacefusionJob(Demand):
    """`api/v1/facefusion_router.py`: answered as it is stored, looked up by `id`."""

    id: InPath


class PoolItem(Demand):
    """`server.py` (GenerationPool)."""

    id: InPath
    project_id: str
    name: str
    description: str | None = ""
    content_type: str
    source_type: str
    source_clip_id: str | None = None
    media_url: str
    thumbnail_url: str | None = None
    generation_params: Object | None = None
    tags: Names = []
    metadata: Object | None = None
    created_at: datetime = _DEFAULT


class ModelPreset(Dated):
    """`server.py` (ModelConfigurationPreset): its own collection, and a list inside a model."""

    id: InPath
    name: str
    description: str | None = ""
    model_id: str | None = None
    base_model: str | None = None
    is_global: bool | None = False
    cfg_scale: float | None = None
    steps: int | None = None
    sampler: str | None = None
    scheduler: str | None = None
    additional_params: Object | None = {}


class CivitaiInfo(Demand):
    """`server.py` (CivitaiModelInfo)."""

    modelId: str  # noqa: N815 - Civitai's spelling, here and below
    name: str | None = None
    description: str | None = None
    type: str | None = None
    tags: Names | None = []
    trainedWords: Names | None = []  # noqa: N815
    baseModel: str | None = None  # noqa: N815
    baseModelType: str | None = None  # noqa: N815
    modelVersions: list[Object] | None = []  # noqa: N815
    images: list[Object] | None = []
    allowDerivatives: bool | None = None  # noqa: N815
    nsfw: bool | None = None
    nsfwLevel: int | None = None  # noqa: N815
    stats: Object | None = {}
    allowCommercialUse: Names | None = []  # noqa: N815
    downloadUrl: str | None = None  # noqa: N815


class DatabaseModel(Dated):
    """`server.py` (DatabaseModel)."""

    id: InPath
    name: str
    type: str
    filename: str | None = None
    filepath: str | None = None
    hash: str | None = None
    server_source: str | None = None
    civitai_info: CivitaiInfo | None = None
    configuration_presets: list[ModelPreset] = []
    metadata: Object | None = {}
    is_active: bool = True
    last_synced_at: datetime | None = None


class ActiveBackendModel(Demand):
    """`models.py` (BackendModelInfo), `active_models_service.py`."""

    id: str
    backend_id: InPath
    backend_name: str
    backend_url: str
    model_id: str
    model_name: str
    model_type: Literal["checkpoint", "lora", "controlnet", "upscale", "vae", "other"]
    model_path: str
    model_size: int | None = None
    civitai_model_id: str | None = None
    civitai_model_name: str | None = None
    civitai_match_quality: str | None = None
    is_active: bool = True
    last_seen: Stored = _DEFAULT
    first_seen: Stored = _DEFAULT
    model_metadata: Object = {}


class Backend(Demand):
    """`models.py` (BackendInfo), `active_models_service.py`."""

    id: InPath
    name: str
    url: str
    is_online: bool = True
    last_check: Stored = _DEFAULT
    model_count: int = 0


class ModelSyncStatus(Demand):
    """`models.py` (ModelSyncStatus)."""

    model_id: str
    civitai_model_id: str | None = None
    sync_status: str
    last_sync_attempt: datetime | None = None
    last_sync_success: datetime | None = None
    sync_error: str | None = None


class CivitaiModel(Demand):
    """`server.py` (find_best_civitai_match_db, sync of a model): what it takes over of an item."""

    id: int | str
    name: str
    type: str
    description: str | None = None
    tags: Names = []
    modelVersions: list[Object] = []  # noqa: N815
    nsfw: bool | None = None
    nsfwLevel: int | None = None  # noqa: N815
    stats: Object = {}


class ModelProfile(Demand):
    """`server.py` (get_model_profiles): answered as it is stored."""

    name: str
    linked_base_models: Names = []


class InferenceConfiguration(Demand):
    """`dtos/inference_config_dtos.py`, `repositories/inference_configuration_repository.py`."""

    id: str
    model_id: str
    base_model: str
    configuration_type: Literal["quality", "speed"]
    steps: int
    cfg_scale: float
    sampler: str
    scheduler: str
    model_specific_params: Object = {}
    created_at: datetime
    updated_at: datetime


class ModelConfiguration(Demand):
    """`dtos/inference_config_dtos.py` (ModelConfigurationDTO)."""

    id: InPath
    model_id: str | None = None
    base_model: str
    name: str
    steps: int
    cfg_scale: float
    sampler: str
    scheduler: str
    resolution_width: int
    resolution_height: int
    additional_params: Object = {}
    created_at: datetime
    updated_at: datetime


class User(Demand):
    """`dtos/auth_dtos.py` (UserWithKeysResponse), `services/auth_service.py`."""

    id: str
    email: str
    username: Annotated[str, Field(pattern=r"^[^A-Z]*$")]
    hashed_password: str
    is_active: bool
    created_at: datetime
    api_keys: dict[str, str | None]


class QueueJob(Demand):
    """`services/queue_manager.py`: jobs that it loads when it starts."""

    id: InPath
    clip_id: str
    project_id: str
    generation_type: str
    prompt: str
    status: str
    created_at: datetime
    started_at: datetime | None = None
    completed_at: datetime | None = None


class BatchJob(Demand):
    """`dtos/generation_dtos.py` (BatchGenerationStatusDTO), `services/batch_generator.py`."""

    id: InPath
    status: str
    total: int
    completed: int
    failed: int
    results: list[Object]


class GalleryItem(Demand):
    """`repositories/gallery_repository.py`."""

    clip_id: str
    content_type: str


READ: dict[str, tuple[type[Demand], ...]] = {
    "projects": (Project,),
    "scenes": (Scene,),
    "clips": (Clip,),
    "characters": (Character, CharacterHistory),
    "style_templates": (StyleTemplate,),
    "comfyui_servers": (ComfyuiServer,),
    "facefusion_jobs": (FacefusionJob,),
    "generation_pool": (PoolItem,),
    "model_presets": (ModelPreset,),
    "database_models": (DatabaseModel,),
    "active_backend_models": (ActiveBackendModel,),
    "backends": (Backend,),
    "model_sync_status": (ModelSyncStatus,),
    "civitai_models": (CivitaiModel,),
    "model_profiles": (ModelProfile,),
    "inference_configurations": (InferenceConfiguration,),
    "model_configurations": (ModelConfiguration,),
    "users": (User,),
    "queue_jobs": (QueueJob,),
    "batch_jobs": (BatchJob,),
    "gallery_items": (GalleryItem,),
}
"""The collections that the back end reads, with what it demands of each document."""
RAW = {"projects", "scenes", "clips", "facefusion_jobs"}
"""Collections whose documents it answers with as they are stored."""
NOT_READ = {
    "generation_batches": "created by the back end, neither written nor read",
    "facefusion_presets": "created by the back end, neither written nor read",
    "facefusion_operations": "the ledger of face operations",
    "catalog_imports": "how far imports of Civitai's catalog have come",
    "face_measures": "what was measured of gallery pictures",
    "host_checks": "results of checks of hosts",
    "images": "of the couple face-swap",
    "templates": "of the couple face-swap",
    "faceswap_tasks": "of the couple face-swap",
    "template_preprocessing": "of the couple face-swap",
    "batch_tasks": "of the couple face-swap",
    "crawl_tasks": "of the couple face-swap",
    "migrations": "records of migrations",
    "locks": "locks of maintenance",
}
"""Collections that the back end does not read, and what they are."""
SORTED: dict[str, tuple[str, ...]] = {
    "projects": ("-created_at",),
    "scenes": ("order",),
    "clips": ("order", "timeline_position"),
    "style_templates": ("-use_count",),
    "generation_pool": ("-created_at",),
    "facefusion_jobs": ("-created_at",),
    "queue_jobs": ("-created_at",),
    "batch_jobs": ("-created_at",),
    "gallery_items": ("-created_at",),
}
"""By which field each list of the back end is sorted; `queue_jobs` also by `-priority`."""


def faults(collection: str, document: Mapping[str, Any]) -> set[Fault]:
    """Find what the back end cannot read of a document."""
    if collection in NOT_READ:
        return set()
    if collection not in READ:
        return {("", "the contract with the app does not name this collection")}
    found = {fault for demand in READ[collection] for fault in _refused(demand, document)}
    return found | {*_not_json(document)} if collection in RAW else found


def _refused(demand: type[Demand], document: Mapping[str, Any]) -> Iterator[Fault]:
    try:
        demand.model_validate(dict(document))
    except ValidationError as error:
        for problem in error.errors(include_url=False):
            names = [str(part) for part in problem["loc"] if isinstance(part, str)]
            yield ".".join(names), problem["msg"]


def _not_json(document: Mapping[str, Any]) -> Iterator[Fault]:
    for name, value in document.items():
        try:
            json.dumps(to_jsonable_python(value), allow_nan=False)
        except ValueError as error:
            if name != "_id":
                yield name, str(error)


State = dict[str, list[Document]]
"""All documents of a database, by collection."""


def new_faults(before: State, after: State) -> set[tuple[str, str, str]]:
    """Find what the back end cannot read of what was written between two states.

    A document that the back end could not read before either is at fault only in what is new.
    """
    found = set()
    for collection, stored in after.items():
        known = {str(document["_id"]): document for document in before.get(collection, ())}
        for document in stored:
            was = known.get(str(document["_id"]))
            if was != document:
                old = faults(collection, was) if was else set()
                found |= {(collection, *fault) for fault in faults(collection, document) - old}
    return found
