"""Users, and the pictures, templates and tasks of the couple face-swap."""

from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from db.schema.documents.base import Count, Id, Imported, SoftDeletable

Category = Annotated[str, Field(max_length=50)]
"""Free text, such as `acg`, `movie`, `tv` or `custom`."""
Name = Annotated[str, Field(max_length=255)]
Key = Annotated[str, Field(max_length=100)]


class CoupleImage(Imported):
    """A document of `images`.

    Attributes:
        user_id: Null for templates.
        storage_path: Its first part is a store only where IMAGE_STORES names that store.
        file_size: Bytes.
        width: Pixels.
        height: Pixels.
        image_type: `photo` is what the app's first version calls `source`; `preprocessed` is a
            template whose faces are filled.
        storage_type: How long it is kept, not where; null is `permanent`.
        expires_at: When a temporary photo may be removed, UTC.
        session_id: What holds the temporary photos of one visit together.
        image_metadata: The later name of `metadata`, read where the app writes it.
    """

    id: Id
    user_id: str | None = None
    filename: Name
    storage_path: Annotated[str, Field(max_length=500)]
    file_size: Count | None = None
    width: Count | None = None
    height: Count | None = None
    image_type: Literal["source", "photo", "template", "preprocessed", "result"] | None = None
    storage_type: Literal["permanent", "temporary"] | None = None
    expires_at: datetime | None = None
    session_id: Key | None = None
    category: Category | None = None
    tags: list[str] | None = Field(default_factory=list)
    uploaded_at: datetime | None = None
    metadata: dict[str, Any] | None = Field(default_factory=dict)
    image_metadata: dict[str, Any] | None = None


class CoupleTemplate(Imported):
    """A document of `templates`.

    Attributes:
        original_image_id: The later name of `image_id`, read where the app writes it.
        name: The later name of `title`, read where the app writes it.
        category: The later version of the app writes one of the template's own, which stays; the
            index of the first version names it here.
        face_positions: Boxes of the faces; the app's later version keeps them in
            `template_preprocessing`.
        is_preprocessed: Whether the app has looked for its faces.
    """

    id: Id
    image_id: str | None = None
    original_image_id: str | None = None
    title: Name | None = None
    name: Name | None = None
    description: str | None = None
    artist: Name | None = None
    source_url: str | None = Field(None, max_length=500)
    category: Category | None = None
    face_count: Count | None = 2
    face_positions: Any = None
    is_preprocessed: bool | None = None
    male_face_count: Count | None = None
    female_face_count: Count | None = None
    popularity_score: int | None = 0
    is_active: bool | None = True
    created_at: datetime | None = None
    updated_at: datetime | None = None


class TemplatePreprocessing(Imported):
    """A document of `template_preprocessing`: the faces that the app found in a template.

    Attributes:
        face_data: Faces with `bbox`, `gender` and `index`; used where the status is `completed`.
        masked_image_id: The template with its faces filled; nothing is swapped into it.
    """

    id: Id
    template_id: str | None = None
    original_image_id: str | None = None
    faces_detected: Count | None = 0
    face_data: Any = None
    masked_image_id: str | None = None
    preprocessing_status: Literal["pending", "processing", "completed", "failed"] = "pending"
    error_message: str | None = None
    processed_at: datetime | None = None
    created_at: datetime | None = None


class BatchTask(Imported):
    """A document of `batch_tasks`: tasks of one couple on several templates.

    Attributes:
        batch_id: What its tasks name it by.
        template_ids: Ids of the templates; repeated ones are one task.
        completed_tasks: Counted from the tasks, as `failed_tasks` is.
    """

    id: Id
    batch_id: Annotated[str, Field(min_length=1, max_length=100)]
    user_id: str | None = None
    husband_photo_id: str | None = None
    wife_photo_id: str | None = None
    template_ids: list[Any] | None = None
    status: Literal["pending", "processing", "completed", "failed", "cancelled"] = "pending"
    total_tasks: Count = 0
    completed_tasks: Count | None = 0
    failed_tasks: Count | None = 0
    created_at: datetime | None = None
    updated_at: datetime | None = None
    completed_at: datetime | None = None


class FaceswapTask(Imported):
    """A document of `faceswap_tasks`.

    Attributes:
        task_id: The app's own name of it, unique.
        batch_id: The `batch_id` of its batch.
        husband_photo_id: The later name of `husband_image_id`, read where the app writes it.
        wife_photo_id: The later name of `wife_image_id`, read where the app writes it.
        result_image_id: Set when it is completed.
        face_mappings: Which face goes where; null or empty is the rule without a mapping.
        use_preprocessed: Where it is false, the boxes of the faces are not needed.
        status: `pending` is what the other queues call `queued`.
        error_code: Name of the kind of error, such as `no_face`.
        processing_time: Seconds.
        not_before: It is not claimed before, UTC.
        attempts: How often it was claimed, without claims whose work could not be begun.
        claim_token: What every write of the claim names; null while it is not worked on.
        claimed_by: The flow run that claimed it, as people call it.
        lease_expires_at: Until when the claim holds, UTC.
        flow_run_id: Id of the flow run that claimed it last.
        counted_at: When it began to count in its template's popularity, UTC.
    """

    id: Id
    task_id: Key | None = None
    batch_id: Key | None = None
    user_id: str | None = None
    template_id: str | None = None
    husband_image_id: str | None = None
    husband_photo_id: str | None = None
    wife_image_id: str | None = None
    wife_photo_id: str | None = None
    result_image_id: str | None = None
    face_mappings: list[Any] | None = None
    use_preprocessed: bool | None = None
    status: Literal["pending", "processing", "completed", "failed"] = "pending"
    progress: Annotated[int, Field(ge=0, le=100)] = 0
    error_code: str | None = None
    error_message: str | None = None
    processing_time: float | None = Field(None, ge=0)
    not_before: datetime | None = None
    attempts: Count = 0
    claim_token: str | None = None
    claimed_by: str | None = None
    lease_expires_at: datetime | None = None
    flow_run_id: str | None = None
    counted_at: datetime | None = None
    started_at: datetime | None = None
    completed_at: datetime | None = None
    created_at: datetime | None = None
    updated_at: datetime | None = None


class CrawlTask(Imported):
    """A document of `crawl_tasks`, of a later phase of the couple face-swap."""

    id: Id
    source_type: Literal["pixiv", "danbooru", "custom"] | None = None
    search_query: str | None = None
    filters: dict[str, Any] = Field(default_factory=dict)
    status: str = "pending"
    images_collected: Count = 0
    created_at: datetime | None = None


def no_api_keys() -> dict[str, Any]:
    """Make the `api_keys` of a new user, as the app's registration writes them."""
    return {"runpod": None, "openai": None, "civitai": None}


class User(SoftDeletable, Imported):
    """A document of `users` (docs/schema.md, Users).

    Read as aliases: `password_hash` for `hashed_password` on import. `api_keys`, which the app
    stores as plain text, must never be returned or logged.

    Attributes:
        username: In lower case, as the app writes it and looks it up.
        email: In lower case.
        hashed_password: bcrypt.
    """

    id: Id
    username: Annotated[str, Field(min_length=3, max_length=100)]
    email: Annotated[str, Field(min_length=1, max_length=255)]
    hashed_password: str
    is_active: bool = True
    is_admin: bool = False
    api_keys: dict[str, Any] | None = Field(default_factory=no_api_keys)
