"""Profiles: settings that the app offers for models by what Civitai states as their base model.

The table is in docs/schema.md, Profiles. A profile that is there is never changed, since the app's
import scripts and people write them, too.
"""

from datetime import UTC, datetime

from pymongo.database import Database
from pymongo.errors import DuplicateKeyError

from db.connection import Document, reading_anything, translated_errors
from db.errors import OperationRefused
from db.inference.report import ProfileSeeded
from db.schema.documents.models import ModelProfile, ProfileSettings

_COLLECTION = "model_profiles"


def _settings(
    cfg_scale: float, steps: int, sampler: str, scheduler: str, clip_skip: int
) -> Document:
    return ProfileSettings(
        cfg_scale=cfg_scale, steps=steps, sampler=sampler, scheduler=scheduler, clip_skip=clip_skip
    ).model_dump()


PROFILES = tuple(
    ModelProfile.model_validate(
        {
            "id": key,
            "name": name,
            "description": description,
            "settings": settings,
            "linked_base_models": base_models,
            "priority": "base_model",
        }
    )
    for key, name, description, settings, base_models in (
        (
            "sdxl_lightning_profile",
            "SDXL Lightning",
            "Few steps, for models distilled from SDXL.",
            _settings(1.5, 4, "euler", "normal", -1),
            ["SDXL 1.0-LCM", "SDXL Lightning"],
        ),
        (
            "illustrious_profile",
            "Illustrious",
            "For drawn pictures, models of the Illustrious family.",
            _settings(7.0, 28, "dpmpp_2m", "karras", 2),
            ["Illustrious", "Illustrious V0.1"],
        ),
        (
            "realvisxl_profile",
            "RealVisXL",
            "For photographs, models of the RealVisXL family.",
            _settings(7.5, 30, "dpmpp_2m", "karras", 2),
            ["RealVisXL"],
        ),
    )
)


def seed_profiles(database: Database[Document], *, dry_run: bool) -> tuple[ProfileSeeded, ...]:
    """Add the profiles that are not there, neither by `_id` nor by `id`.

    Raises:
        OperationRefused: A unique index of the operator's own keeps one out.
    """
    with translated_errors():
        return tuple(
            ProfileSeeded(profile_id=str(profile.id), created=_add(database, profile, dry_run))
            for profile in PROFILES
        )


def _add(database: Database[Document], profile: ModelProfile, dry_run: bool) -> bool:
    if _is_there(database, profile):
        return False
    if dry_run:
        return True
    now = datetime.now(UTC)
    document = {"_id": profile.id, **profile.model_dump(), "created_at": now, "updated_at": now}
    try:
        database[_COLLECTION].insert_one(document)
    except DuplicateKeyError as error:
        if _is_there(database, profile):
            return False
        fields = ", ".join((error.details or {}).get("keyPattern", {}))
        raise OperationRefused(
            f"The unique index on ({fields}) of {_COLLECTION} keeps out the profile "
            f"{profile.id!r}; drop that index, then run this again."
        ) from error
    return True


def _is_there(database: Database[Document], profile: ModelProfile) -> bool:
    named = {"$or": [{"_id": profile.id}, {"id": profile.id}]}
    return reading_anything(database)[_COLLECTION].find_one(named, {"_id": True}) is not None
