"""What a plan needs before its first step: character, preset, host, pictures."""

from collections.abc import Sequence
from datetime import UTC, datetime

from prefect.futures import wait
from prefect.logging import get_run_logger

from db.characters import CharacterRepository
from db.errors import CharacterWithoutPicture
from db.ledger import OperationLedger
from db.presets import PresetRepository
from db.schema.documents.characters import Character
from db.schema.documents.faces import Preset
from storycanvas.faces.contract import HostStatus
from storycanvas.faces.errors import FaceError
from storycanvas.faces.plan import Plan, PlanPicture
from storycanvas.faces.preferences import Preferences
from storycanvas.faces.settings import FaceSettings
from storycanvas.faces.sources.references import input_address
from storycanvas.faces.sources.trust import NamedBy
from tasks.characters.naming import taken_name
from tasks.faces.context import RunContext
from tasks.faces.fetched import FetchedPicture
from tasks.faces.step import RunRequest, StepOutput, cut_views
from tasks.run_names import renamed_for
from tasks.waiting import first_task


@first_task("load character {character_id}")
def read_character(context: RunContext, character_id: str, named_by: NamedBy) -> Character:
    """Read a character by its id; what a person gives may be a name as well, in any case."""
    characters = CharacterRepository(context.database)
    if named_by is NamedBy.DOCUMENT:  # another's name as an id must not change its gallery
        return characters.find(character_id)
    character = characters.find_named(character_id)
    for sentence in taken_name(character_id, character):
        get_run_logger().info(sentence)
    return character


def load_character(
    context: RunContext, character_id: str | None, named_by: NamedBy
) -> Character | None:
    """Read the character that a run is for, if it is for one.

    Raises:
        UnknownCharacter: There is none.
        AmbiguousCharacter: A person gives a name that several have.
    """
    if character_id is None:
        return None
    character = read_character(context, character_id, named_by)
    context.run_name = renamed_for(character.name or character.id) or context.run_name
    if page := context.character_page(character.id):
        get_run_logger().info("The page of %s in the app: %s", character.name, page)
    return character


@first_task("load preset {preset}")
def read_preset(context: RunContext, preset: str) -> Preset:
    """Read a preset by its id or name."""
    return PresetRepository(context.database).find(preset)


@first_task("count use of preset {preset.name}")
def count_use(context: RunContext, preset: Preset) -> None:
    """Count this run among those that use a preset."""
    PresetRepository(context.database).count_use(preset.id, context.run_id, datetime.now(UTC))


def load_preferences(
    context: RunContext, character: Character | None, preset: str | None, settings: FaceSettings
) -> Preferences:
    """Collect the settings of a preset, named by id or name, of the character, and of the form.

    Raises:
        BadField: The preset holds a parameter that its operation does not have.
    """
    stored = character.facefusion_preferred_settings if character else None
    found = None if preset is None else read_preset(context, preset)
    preferences = Preferences(
        preset=found.parameters if found else {},
        preset_operation=found.operation_type if found else None,
        character=stored or {},
        named=settings.named(),
    )
    # After the check above: one that is refused has not been used.
    if found is not None and not context.dry_run:
        count_use(context, found)
    for sentence in preferences.unknown_settings():
        get_run_logger().warning(sentence)
    return preferences


def first_reference_image(character: Character | None) -> str:
    """Choose the picture that stands for a character.

    Raises:
        CharacterWithoutPicture: It has none, or there is no character.
    """
    if character is None:
        raise CharacterWithoutPicture(
            "The run has neither a picture nor a character; name one of them in the run's form."
        )
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


def engine_status(context: RunContext) -> HostStatus:
    """Find which engine a run is for: that of its hosts, in a dry run without one the ledger's.

    Raises:
        FaceError: No host can work now.
    """
    if not context.dry_run:
        return ask_host(context)
    try:
        return context.hosts.status()
    except FaceError as error:
        known = OperationLedger(context.database).newest_engine()
        engine, version = known or ("unknown", "engine")
        last = f"for {engine} {version}, as the newest operation" if known else "for any engine"
        context.without_host = f"No face host answers, so this is planned {last}: {error}"
    return HostStatus(
        engine=engine, engine_version=version, gpu_slots=1, busy=0, queued=0, operations=0
    )


@first_task("{request.label}fetch {picture.name}")
def fetch(context: RunContext, request: RunRequest, picture: PlanPicture) -> StepOutput:
    """Fetch and normalise a picture of a plan."""
    reference = picture.reference
    fetched = FetchedPicture.of(picture, context.pictures)
    found = fetched.content()
    if request.record:
        reference = input_address(reference, found, context.store, datetime.now(UTC))
    views = cut_views(request, picture.name, found)
    if request.record:
        found.compact()  # what needs its pixels once more makes them of its file
    return StepOutput(picture.name, reference, found.sha256, picture=fetched, views=views)


def fetch_required(
    context: RunContext, planned: Sequence[tuple[RunRequest, Plan]]
) -> list[dict[str, StepOutput]]:
    """Fetch the pictures in parallel without which plans are refused, by the names in each plan."""
    fetching = [
        {
            picture.name: fetch.submit(context, request, picture)
            for picture in plan.pictures
            if picture.required
        }
        for request, plan in planned
    ]
    # All of them: none may change the run's state after its end.
    wait([future for pictures in fetching for future in pictures.values()])
    return [{name: future.result() for name, future in pictures.items()} for pictures in fetching]
