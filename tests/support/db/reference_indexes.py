"""The indexes that a StoryCanvas database has: as the app's schemas name them.

A dash means descending, `U` unique. Taken are the indexes of the first schema, those the audit
recommends, those of the import scripts and those of the couple face-swap.
"""

_TABLE = {
    "projects": "id U, -created_at, name, deleted_at, text name:10 description:3",
    "scenes": (
        "id U, project_id order, parent_scene_id, is_alternate, deleted_at, "
        "text name:10 description:3 lyrics:1"
    ),
    "clips": (
        "id U, scene_id order, scene_id timeline_position, project_id order, "
        "project_id -created_at, character_id, deleted_at"
    ),
    "characters": "id U, project_id name, name collation, deleted_at",
    "style_templates": "id U, project_id name, -use_count, deleted_at",
    "comfyui_servers": "id U, url deleted_at U, is_active, deleted_at",
    "generation_batches": "id U, project_id -created_at, status, status -created_at",
    "facefusion_jobs": (
        "id U, status -priority created_at, status lease_expires_at, character_id, "
        "project_id -created_at"
    ),
    "facefusion_presets": (
        "id U, name, operation_type is_public, name deleted_at U partial collation, deleted_at"
    ),
    "database_models": (
        "id U, is_active type, base_model is_active, name, source, civitai_info.modelId, filename, "
        "catalog_model_id, text civitai_info.description:1 civitai_info.tags:1 name:1"
    ),
    "inference_configurations": "model_id, preset_type model_id U partial",
    "civitai_models": (
        "id U, type nsfw, type, base_models, base_models type, type base_models, "
        "base_models nsfwLevel, modelVersions.baseModelType, nsfwLevel, allowDerivatives, "
        "allowCommercialUse, modelVersions.files.hashes.SHA256, modelVersions.files.hashes.BLAKE3, "
        "modelVersions.files.hashes.AutoV2, modelVersions.files.hashes.AutoV3, "
        "modelVersions.files.name, file_keys, name_keys, "
        "text name:10 modelVersions.name:8 tags:5 description:3 modelVersions.description:2"
    ),
    "users": "id U, username deleted_at U, email deleted_at U, legacy_id U sparse, deleted_at",
    "generation_pool": (
        "id U, clip_id, status -created_at, project_id -created_at, project_id content_type"
    ),
    "active_backend_models": "id U, backend_id model_type, model_id, is_active -last_seen",
    "backends": "id U, is_online -last_check",
    "model_sync_status": "model_id U, sync_status -last_sync_attempt, civitai_model_id",
    "model_profiles": (
        "id U sparse, linked_model_ids, linked_base_models, priority, linked_model_ids priority"
    ),
    "images": "id U, legacy_id U sparse, user_id, image_type, user_id -uploaded_at, tags",
    "templates": (
        "id U, legacy_id U sparse, category, image_id U partial, is_active -popularity_score"
    ),
    "template_preprocessing": "id U, legacy_id U sparse, template_id U partial",
    "batch_tasks": "id U, legacy_id U sparse, batch_id U partial, user_id, status created_at",
    "faceswap_tasks": (
        "id U, legacy_id U sparse, status, user_id, status created_at, user_id -created_at, "
        "template_id, task_id U partial, status lease_expires_at, batch_id status"
    ),
    "crawl_tasks": "id U, legacy_id U sparse, status created_at",
    "facefusion_operations": (
        "-created_at, effects.applied_at, effects.character_id -created_at, "
        "operation_type engine parameters.enhancement_model parameters.face_swapper_model "
        "-created_at, "
        "output.sha256 sparse, earlier_outputs.sha256 sparse"
    ),
    "face_measures": "character_id",
    "catalog_imports": "id U",
    "host_checks": "kind name -checked_at, checked_at expiring",
    "migrations": "",
    "locks": "",
}
REFERENCE = {name: {*filter(None, indexes.split(", "))} for name, indexes in _TABLE.items()}
