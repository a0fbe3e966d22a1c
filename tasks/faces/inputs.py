"""What a plan needs before its first step: character, preset, host, pictures."""

from datetime import UTC, datetime

from prefect.futures import wait
from prefect.logging import get_run_logger

from db.characters import CharacterRepository, PresetRepository
from db.errors import CharacterWithoutPicture
from db.schema.documents.characters import Character
from db.schema.documents.faces import Preset
from storycanvas.faces.contract import HostStatus
from storycanvas.faces.pictures.references import input_address
from storycanvas.faces.plan import Plan, PlanPicture
from storycanvas.faces.preferences import Preferences
from tasks.faces.context import RunContext
from tasks.faces.step import RunRequest, StepOutput
from tasks.waiting import first_task


@first_task("load character {character_id}")
def load_character(context: RunContext, character_id: str) -> Character:
    """Read a character."""
    return CharacterRepository(context.database).find(character_id)


@first_task("load preset {preset}")
def read_preset(context: RunContext, preset: str) -> Preset:
    """Read a preset by its id or name."""
    return PresetRepository(context.database).find(preset)


def load_preferences(context: RunContext, character: Character, preset: str | None) -> Preferences:
    """Collect the settings of a preset, named by id or name, and of the character.

    Raises:
        BadField: The preset holds a parameter that its operation does not have.
    """
    settings = character.facefusion_preferred_settings or {}
    found = None if preset is None else read_preset(context, preset)
    preferences = Preferences(
        preset=found.parameters if found else {},
        preset_operation=found.operation_type if found else None,
        character=settings,
    )
    for sentence in preferences.unknown_settings():
        get_run_logger().warning(sentence)
    return preferences


def first_reference_image(character: Character) -> str:
    """Choose the picture that stands for a character."""
    if not character.reference_images:
        raise CharacterWithoutPicture(
            f"The character {character.id!r} has no reference image; add one in the app or name a "
            "picture in the run's form."
        )
    return character.reference_images[0]


@first_task("ask host")
def ask_host(context: RunContext) -> HostStatus:
    """Ask the face hosts which engine they run, and choose that of most of them.

    Raises:
        FaceError: None can work now; retried, because hosts come back.
    """
    return context.hosts.status()


@first_task("fetch {picture.name}")
def fetch(context: RunContext, request: RunRequest, picture: PlanPicture) -> StepOutput:
    """Fetch and normalise a picture of a plan."""
    reference = picture.reference
    found = context.fetch(reference)
    if request.record:
        reference = input_address(reference, found, context.store, datetime.now(UTC))
    return StepOutput(picture.name, reference, found.sha256, picture=found)


def make_request(
    context: RunContext, character_id: str, *, force: bool, priority: int = 0
) -> RunRequest:
    """Find out with which engine a character's plans are run."""
    status = ask_host(context)
    return RunRequest(character_id, status, force, priority=priority, stopping=context.stopping)


def fetch_all(context: RunContext, request: RunRequest, plan: Plan) -> dict[str, StepOutput]:
    """Fetch the pictures of a plan in parallel, by the plan's names."""
    fetching = {picture.name: fetch.submit(context, request, picture) for picture in plan.pictures}
    wait(list(fetching.values()))  # all of them: none may change the run's state after its end
    return {name: future.result() for name, future in fetching.items()}
