"""A document of every collection with its required fields, invalid documents, jobs and findings."""

from datetime import UTC, datetime, timedelta
from typing import Any

from bson import Int64

from db.audit.report import AuditFinding, AuditReport, Kind
from db.schema.collections import COLLECTIONS
from tests.support.db.database_state import Data
from tests.support.db.records import effects, record

Document = dict[str, Any]

DOCUMENTS = {collection.name: collection.document for collection in COLLECTIONS}
NOW = datetime(2026, 11, 21, 12, tzinfo=UTC)
LATER, EARLIER = NOW + timedelta(minutes=1), NOW - timedelta(minutes=1)
HELD = datetime(2100, 1, 1, tzinfo=UTC)
"""The end of a lease that holds by the server's clock."""
SAMPLER = {"steps": 28, "cfg_scale": 7, "sampler_name": "euler", "scheduler": "normal"}

SMALLEST: dict[str, Document] = {
    "projects": {"id": "1", "name": "A story"},
    "scenes": {"id": "1", "project_id": "1", "name": "Opening"},
    "clips": {"id": "1", "scene_id": "1"},
    "characters": {"id": "1", "project_id": "1", "name": "Mira"},
    "style_templates": {"id": "1", "name": "Noir"},
    "comfyui_servers": {"id": "1", "name": "Box", "url": "http://127.0.0.1:8188"},
    "generation_batches": {"id": "1", "project_id": "1"},
    "facefusion_jobs": {"id": "1"},
    "facefusion_presets": {"id": "1", "name": "Soft", "operation_type": "enhance"},
    "facefusion_operations": record(effects=[]).model_dump(by_alias=True),
    "database_models": {"id": "1", "name": "sd_xl_base_1.0"},
    "inference_configurations": {"model_id": "1", "preset_type": "speed", "parameters": SAMPLER},
    "civitai_models": {"id": 910000001, "name": "A model", "type": "Checkpoint"},
    "users": {"id": "1", "username": "Mira", "email": "mira@example.org", "hashed_password": "x"},
    "generation_pool": {"id": "1", "project_id": "1", "content_type": "image"},
    "active_backend_models": {"id": "1", "backend_id": "1", "model_name": "x.safetensors"},
    "backends": {"id": "1"},
    "model_sync_status": {"model_id": "1"},
    "model_profiles": {"_id": "lightning", "name": "Lightning"},
    "images": {"id": "1", "filename": "a.png", "storage_path": "local/source/2026/11/a.png"},
    "templates": {"id": "1"},
    "template_preprocessing": {"id": "1"},
    "batch_tasks": {"id": "1", "batch_id": "batch_1"},
    "faceswap_tasks": {"id": "1"},
    "crawl_tasks": {"id": "1"},
    "catalog_imports": {"id": "civitai", "import_id": "1", "status": "running"},
    "face_measures": {
        "_id": "1",
        "character_id": "1",
        "picture": "a.png",
        "version": 1,
        "compared_with": "",
        "faces": 1,
        "measured_at": NOW,
    },
    "host_checks": {"name": "gpu", "kind": "face host", "checked_at": NOW, "is_up": True},
    "queue_jobs": {
        "id": "1",
        "clip_id": "1",
        "project_id": "1",
        "generation_type": "image",
        "prompt": "",
        "status": "queued",
        "created_at": NOW.isoformat(),
    },
    "batch_jobs": {"id": "1", "status": "completed"},
    "gallery_items": {
        "id": "1",
        "clip_id": "1",
        "content_type": "image",
        "prompt": "",
        "server_id": "1",
        "server_name": "Box",
        "model_name": "unknown",
    },
    "model_configurations": {
        "id": "1",
        "base_model": "sdxl",
        "name": "Default",
        "steps": 28,
        "cfg_scale": 7.0,
        "sampler": "euler",
        "scheduler": "normal",
        "resolution_width": 1024,
        "resolution_height": 1024,
        "created_at": NOW,
        "updated_at": NOW,
    },
    "model_presets": {"id": "1", "name": "Soft"},
    "migrations": {
        "_id": 1,
        "name": "characters",
        "checksum": "0" * 64,
        "status": "applied",
        "run_by": "operator",
        "started_at": NOW,
    },
    "locks": {
        "_id": "migrations",
        "token": "0" * 32,
        "holder": "operator",
        "since": NOW,
        "expires_at": NOW,
    },
}

ENTRY: Document = {
    "id": "e",
    "operation_type": "video_enhance",
    "input_image_url": "a.png",
    "created_at": NOW,
}


def _cases(**changes: list[Document]) -> list[tuple[str, Document]]:
    """Collections, each with a change of its smallest document."""
    return [(name, change) for name, changed in changes.items() for change in changed]


VALID = _cases(
    projects=[{"invented_by_the_app": [1, 2]}, {"created_at": NOW, "deleted_at": None}],
    scenes=[{"order": 3.0}, {"order": Int64(3)}],
    clips=[{"length": 2, "generated_images": ["a.png", {"id": "1", "url": "b.png"}]}],
    characters=[
        {"facefusion_preferred_settings": {"face_editor_mouth_smile": -100}},
        {"facefusion_preferred_settings": {"face_editor_mouth_smile": None}},
        {"facefusion_output_gallery": {"age_variants": {"0": "a", "100": "b"}}},
        {"facefusion_processing_history": [{**ENTRY, "by_the_app": 1}]},
    ],
    facefusion_operations=[{"effects": [effect.model_dump() for effect in effects("key-1")]}],
    civitai_models=[{"allowCommercialUse": "Image", "modelVersions": [{"id": 1}]}],
    images=[
        {"image_type": "photo", "storage_type": "temporary", "expires_at": NOW, "tags": None},
        {"image_type": "preprocessed", "category": "of 1900", "image_metadata": {"a": 1}},
        {"image_metadata": None, "metadata": None, "session_id": "s"},
    ],
    templates=[
        {"face_positions": [[0, 1, 2, 3]], "title": "Two at sea", "image_id": "1"},
        {"name": "Two at sea", "original_image_id": "1", "category": "of 1900"},
        {"is_preprocessed": True, "male_face_count": 1, "female_face_count": 1},
    ],
    template_preprocessing=[
        {"face_data": [{"index": 0, "bbox": [1, 2, 3, 4], "gender": "male"}]},
        {"face_data": [], "preprocessing_status": "processing", "masked_image_id": None},
    ],
    batch_tasks=[{"template_ids": ["1", "2"], "total_tasks": 2}, {"status": "cancelled"}],
    faceswap_tasks=[
        {"husband_image_id": "1", "wife_image_id": "2", "template_id": "3"},
        {"husband_photo_id": "1", "wife_photo_id": "2", "task_id": "t", "batch_id": None},
        {"face_mappings": [{"source_photo": "wife", "target_face_index": 0}], "attempts": 1},
        {"face_mappings": None, "use_preprocessed": False, "lease_expires_at": NOW},
    ],
    facefusion_jobs=[{"job_type": "enhance"}, {"results": [], "total_operations": 2}],
    generation_pool=[
        {"generation_params": None, "metadata": None},
        {"generation_params": {"seed": 1}, "metadata": {"width": 8}},
    ],
    users=[{"legacy_id": 7, "username": "abc"}],
)

INVALID = _cases(
    projects=[
        {"id": 7},
        {"id": ""},
        {"created_at": "2026-11-21T12:00:00Z"},
        {"music_duration": -1},
    ],
    scenes=[{"order": 1.5}, {"is_alternate": "no"}],
    clips=[{"length": 0}, {"timeline_position": 10_000.01}],
    characters=[
        {"name": "x" * 201},
        {"facefusion_processing_history": None},
        {"facefusion_processing_history": [{"id": "e"}]},
        {"facefusion_preferred_settings": {"face_editor_mouth_smile": 101}},
        {"facefusion_preferred_settings": {"age_adjustment_blend": 1.1}},
        {"facefusion_output_gallery": {"age_variants": {"101": "a"}}},
        {"facefusion_output_gallery": {"age_variants": {"old": "a"}}},
    ],
    style_templates=[{"style_strength": 2}],
    comfyui_servers=[{"status": "asleep"}],
    facefusion_jobs=[{"progress": 100.5}, {"status": "pending"}, {"job_type": None}],
    facefusion_operations=[{"invented": True}, {"effects": [{"kind": "unheard-of", "id": "1"}]}],
    inference_configurations=[{"preset_type": "fast"}, {"parameters": {**SAMPLER, "steps": 0}}],
    civitai_models=[{"id": "910000001"}],
    users=[{"username": "ab"}, {"email": "x" * 256}],
    images=[{"storage_path": "x" * 501}],
    templates=[{"category": "x" * 51}, {"name": "x" * 256}],
    batch_tasks=[{"status": "done"}, {"batch_id": ""}],
    faceswap_tasks=[{"progress": 101}, {"status": "queued"}, {"attempts": -1}],
)


def found(report: AuditReport, *kinds: Kind) -> dict[tuple[str, str], int]:
    return {(finding.collection, finding.subject): finding.count for finding in report.of(*kinds)}


def the_finding(report: AuditReport, kind: Kind) -> AuditFinding:
    [finding] = report.of(kind)
    return finding


def job(number: int, **fields: Any) -> dict[str, Any]:
    return {"id": f"job-{number}", "job_type": "enhance", "status": "processing", **fields}


def statuses(database: Data) -> dict[str, str]:
    return {stored["id"]: stored["status"] for stored in database["facefusion_jobs"].find()}
