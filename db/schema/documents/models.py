"""Models, where they are listed, what Civitai holds about them, and hosts."""

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from db.schema.documents.base import Count, Dated, Id, SoftDeletable, Stored

LocalModelType = Literal["checkpoint", "lora", "embedding", "controlnet", "vae", "upscale", "other"]
AppModelType = Literal["checkpoint", "lora", "controlnet", "vae", "upscale", "other"]
"""What the app knows: with any other type its lists of models are refused as a whole."""
MatchQuality = Literal["exact_hash", "high_confidence", "low_confidence", "manual"]


class DatabaseModel(Dated):
    """A document of `database_models`, the local catalog.

    Rows of Civitai belong to `civitai_models` only; what was found there about a local file is
    kept in `civitai_info`. Read as aliases: `model_type` for `type`, `filepath` for `path`.

    Attributes:
        hash: SHA-256 of the file.
        source: Where the row came from.
        id: Without a slash, since the app puts it into addresses.
        name: Of a file, its path below the folder as the server spells it, as the app writes it.
        server_source: Id of the backend that listed the file.
        catalog_model_id: `model_id` of the file in `active_backend_models` that the row is for.
        civitai_match_confirmed: Whether a person confirmed the match; it then stays as it is.
    """

    id: Id
    name: str
    type: LocalModelType = "other"
    base_model: str | None = None
    path: str | None = None
    filename: str | None = None
    hash: str | None = None
    description: str | None = ""
    trigger_words: str | None = None
    is_active: bool = True
    is_nsfw: bool = False
    tags: list[str] = Field(default_factory=list)
    source: str | None = None
    server_source: str | None = None
    civitai_id: int | None = None
    civitai_info: dict[str, Any] | None = None
    civitai_match_quality: MatchQuality | None = None
    civitai_match_confirmed: bool | None = None
    catalog_model_id: str | None = None
    configuration_presets: list[Any] = Field(default_factory=list)
    available_profiles: list[Any] = Field(default_factory=list)
    metadata: dict[str, Any] = Field(default_factory=dict)
    last_synced_at: datetime | None = None


class ActiveBackendModel(Stored):
    """A document of `active_backend_models`.

    Attributes:
        id: Backend, folder and normalised path; the name alone is not unique across folders.
        model_id: Folder and normalised path, the same on every backend.
        model_name: The file's name.
        model_type: One of the app's six types (`AppModelType`).
        model_kind: The type of `database_models`, only where it is finer, such as `embedding`.
        model_path: As `model_id`, as the app's own rules for types expect it.
        model_size: Bytes; null if the server does not report it.
        civitai_model_id: Civitai's number as text.
        civitai_version_id: Civitai's number of the version that the file belongs to.
        match_method: What the match rests on, such as `sha256`.
        match_score: How sure the match is.
        civitai_match_confirmed: Whether a person confirmed the match; it then stays as it is.
        last_seen: UTC; moved at most every 10 minutes.
        changed_at: When a server last reported a change of it, or had it again, UTC.
        gone_at: When it was found to be gone, UTC; null while it is there.
        model_metadata: `folder`, `raw_name` (as the server spells it), `modified` (seconds since
            1970), `hashes` by kind, and the file's own metadata as `pairs`, since its names have
            dots.
    """

    id: Id
    backend_id: Id
    backend_name: str | None = None
    backend_url: str | None = None
    model_id: str | None = None
    model_name: str
    model_type: str | None = None
    model_kind: str | None = None
    model_path: str | None = None
    model_size: int | None = Field(None, ge=0)
    civitai_model_id: str | None = None
    civitai_model_name: str | None = None
    civitai_match_quality: MatchQuality | None = None
    civitai_version_id: int | None = None
    match_method: str | None = None
    match_score: float | None = Field(None, ge=0, le=1)
    civitai_match_confirmed: bool | None = None
    is_active: bool = True
    first_seen: datetime | None = None
    last_seen: datetime | None = None
    changed_at: datetime | None = None
    gone_at: datetime | None = None
    model_metadata: dict[str, Any] | None = None


class Backend(Stored):
    """A document of `backends`: the status of a row of `comfyui_servers`.

    Attributes:
        id: The id of the server.
        url: Without a slash at its end, a user or a query.
        last_check: When the server was asked last, UTC.
        model_count: Models of the last complete listing.
        listing_digest: Names the listing that the stored models agree with.
        compared_at: When they were compared with it, UTC.
        compared_models: How many models were stored then, gone ones too.
    """

    id: Id
    name: str | None = None
    url: str | None = None
    is_online: bool = False
    last_check: datetime | None = None
    model_count: Count = 0
    listing_digest: str | None = None
    compared_at: datetime | None = None
    compared_models: Count | None = None


class ComfyuiServer(SoftDeletable):
    """A document of `comfyui_servers`.

    Attributes:
        url: Without a slash at its end, so that one server has one spelling.
        api_key: A secret that no answer and no log may show.
        endpoint_id: Of a RunPod server.
        last_check: When it was asked last, UTC.
        last_error: Why it was not online then, or why its models are unknown.
        capabilities: What the server reported about itself.
    """

    id: Id
    name: str
    url: str = Field(min_length=1)
    is_active: bool = True
    server_type: Literal["standard", "runpod"] = "standard"
    api_key: str | None = None
    endpoint_id: str | None = None
    status: Literal["online", "offline", "error"] | None = None
    last_check: datetime | None = None
    last_error: str | None = None
    capabilities: dict[str, Any] | None = None


class CivitaiModel(Stored):
    """A document of `civitai_models`: Civitai's own item unchanged, with what is lifted out of it.

    The field names are Civitai's. Read as aliases: `model_versions` for
    `modelVersions`.

    Attributes:
        base_models: `baseModel` of every version, since an item has none of its own.
        file_keys: Names of all files without case.
        name_keys: The words of these names, with single spaces.
        content_hash: SHA-256 of the item as it was imported, so that an unchanged item is not
            written again.
        import_id: The import that wrote it last.
        allowCommercialUse: A list; text in old data.
    """

    id: int
    name: str
    type: str
    description: str | None = None
    tags: list[str] = Field(default_factory=list)
    nsfw: bool = False
    nsfwLevel: int | None = None  # noqa: N815 - Civitai's spelling
    allowDerivatives: bool | None = None  # noqa: N815
    allowCommercialUse: list[str] | str | None = None  # noqa: N815
    stats: dict[str, Any] = Field(default_factory=dict)
    creator: dict[str, Any] | None = None
    modelVersions: list[dict[str, Any]] = Field(default_factory=list)  # noqa: N815
    base_models: list[str] = Field(default_factory=list)
    file_keys: list[str] = Field(default_factory=list)
    name_keys: list[str] = Field(default_factory=list)
    content_hash: str | None = None
    imported_at: datetime | None = Field(None, alias="_imported_at")
    import_id: str | None = Field(None, alias="_import_id")


class ProfileSettings(Stored):
    """The sampler's settings of a profile."""

    cfg_scale: float | None = Field(None, ge=0)
    steps: int | None = Field(None, ge=1)
    sampler: str | None = None
    scheduler: str | None = None
    clip_skip: int | None = None


class ModelProfile(Dated):
    """A document of `model_profiles`.

    The app's import scripts name a profile by its `_id` only; where `id` is there, it is the same.
    """

    id: Id | None = None
    name: str
    description: str | None = ""
    settings: ProfileSettings = Field(default_factory=ProfileSettings)
    linked_model_ids: list[str | int] = Field(default_factory=list)
    linked_base_models: list[str] = Field(default_factory=list)
    priority: Literal["exact", "base_model", "generic"] = "generic"


class ModelSyncStatus(Stored):
    """A document of `model_sync_status`.

    Attributes:
        model_id: As in `active_backend_models`.
        civitai_model_id: Civitai's number as text.
        sync_status: `synced` with a match, `pending` without a match, `failed` when it could not be
            looked for.
        last_sync_attempt: When the outcome was looked for and changed, UTC.
        sync_error: Why it is not synced, in one sentence.
        candidates: Versions that it could be, the likeliest first.
    """

    model_id: Id
    civitai_model_id: str | None = None
    sync_status: Literal["pending", "synced", "failed"] = "pending"
    last_sync_attempt: datetime | None = None
    last_sync_success: datetime | None = None
    sync_error: str | None = None
    candidates: list[dict[str, Any]] = Field(default_factory=list)


class InferenceParameters(Stored):
    """The sampler's parameters; those of one family of models stand beside them.

    Attributes:
        sampler_name: As ComfyUI spells it, such as `euler_ancestral`.
    """

    steps: int = Field(ge=1)
    cfg_scale: float = Field(ge=0)
    sampler_name: str
    scheduler: str
    denoise: float = Field(1.0, ge=0, le=1)


class InferenceConfiguration(Dated):
    """A document of `inference_configurations`.

    The app's own script knows only `configuration_type` and the flat fields; its schema names
    `preset_type` and `parameters`. This project writes both, and reads either.

    Attributes:
        preset_type: Unique for a model, where it is there.
        configuration_type: The older name of `preset_type`.
        sampler: As `sampler_name` in `parameters`.
        model_specific_params: What else stands in `parameters`.
    """

    id: Id | None = None
    model_id: Id
    base_model: str | None = None
    preset_type: Literal["quality", "speed"] | None = None
    configuration_type: Literal["quality", "speed"] | None = None
    parameters: InferenceParameters | None = None
    steps: int | None = Field(None, ge=1)
    cfg_scale: float | None = Field(None, ge=0)
    sampler: str | None = None
    scheduler: str | None = None
    model_specific_params: dict[str, Any] = Field(default_factory=dict)
    description: str | None = ""


ImportStatus = Literal["running", "complete", "failed"]


class ImportProblem(Stored):
    """Something that an import could not read or store.

    Attributes:
        subject: An id, or a line's number.
        reason: A sentence.
    """

    subject: str
    reason: str


class CatalogImport(Stored):
    """A document of `catalog_imports`; counts are of the import under way, or of the last one.

    Attributes:
        id: Names the source: a query of the API, or a file.
        import_id: Which import of this source it is; a new import has another id.
        cursor: Of the next page, for the API; null at the beginning and once complete.
        run_id: The run that began the import or stored the cursor; Civitai may no longer accept the
            cursor of an earlier run.
        position: How many items have been taken in, for files.
        unchanged: Rows that were there already, so that they were not written; after a kill also
            those that the interrupted page had written.
        failed: Items that could not be read or stored.
        problems: The first 200 of them.
        error: Why it failed.
    """

    id: Id
    import_id: Id
    status: ImportStatus
    cursor: str | None = None
    run_id: str | None = None
    position: Count = 0
    pages: Count = 0
    new: Count = 0
    changed: Count = 0
    unchanged: Count = 0
    failed: Count = 0
    problems: list[ImportProblem] = Field(default_factory=list)
    started_at: datetime | None = None
    updated_at: datetime | None = None
    finished_at: datetime | None = None
    error: str | None = None


class HostCheckRecord(Stored):
    """A document of `host_checks`; fields of one kind of host stand beside these.

    Attributes:
        name: Of the host, unique within its kind.
        kind: Such as `face host` or `comfyui`.
        address: Without a user or a query.
        checked_at: UTC.
        state: In a word, such as `up` or `down`.
        latency_ms: Milliseconds until it had answered; null without an answer.
        version: Of the program that answered.
    """

    name: Id
    kind: Id
    address: str | None = None
    checked_at: datetime
    is_up: bool
    state: str | None = None
    latency_ms: float | None = Field(None, ge=0)
    version: str | None = None
