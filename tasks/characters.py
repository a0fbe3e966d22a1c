"""Reading what a run needs to know about a character."""

from prefect import task
from prefect.cache_policies import NO_CACHE

from db.documents.character import Character
from db.documents.preset import Preset
from db.errors import CharacterWithoutPicture
from db.repositories.characters import CharacterRepository
from db.repositories.presets import PresetRepository
from faces.preferences import Preferences
from tasks.retrying import may_pass, patient
from tasks.road import Road


@task(
    cache_policy=NO_CACHE,
    task_run_name="load character {character_id}",
    retry_condition_fn=may_pass,
)
def read_character(road: Road, character_id: str) -> Character:
    """Read a character.

    Raises:
        UnknownCharacter: There is none with this id.
        BrokenCharacter: Its FaceFusion fields are of wrong types.
    """
    return CharacterRepository(road.database).find(character_id)


@task(cache_policy=NO_CACHE, task_run_name="load preset {preset}", retry_condition_fn=may_pass)
def read_preset(road: Road, preset: str) -> Preset:
    """Read a preset by its id or name.

    Raises:
        UnknownPreset: There is none.
    """
    return PresetRepository(road.database).find(preset)


def load_character(road: Road, character_id: str) -> Character:
    """Read a character, patiently.

    Raises:
        UnknownCharacter: There is none with this id.
        BrokenCharacter: Its FaceFusion fields are of wrong types.
    """
    return patient(read_character, road.environment)(road, character_id)


def load_preferences(road: Road, character: Character, preset: str | None) -> Preferences:
    """Collect the settings of a preset and of the character.

    Args:
        road: What the run works with.
        character: Whose preferred settings.
        preset: Id or name of a preset, or None.

    Raises:
        UnknownPreset: There is no such preset.
        BadField: It holds a parameter that its operation does not have.
    """
    settings = character.facefusion_preferred_settings or {}
    if preset is None:
        return Preferences(character=settings)
    found = patient(read_preset, road.environment)(road, preset)
    return Preferences(
        preset=found.parameters, preset_operation=found.operation_type, character=settings
    )


def first_reference_image(character: Character) -> str:
    """Choose the picture that stands for a character.

    Raises:
        CharacterWithoutPicture: It has none.
    """
    if not character.reference_images:
        raise CharacterWithoutPicture(
            f"The character {character.id!r} has no reference image; add one in the app or name a "
            "picture in the run's form."
        )
    return character.reference_images[0]
