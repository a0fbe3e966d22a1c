"""What a run works with: the blocks named `default`, else the environment, else local services."""

import atexit
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path

from pydantic import SecretStr, ValidationError

from blocks.civitai import Civitai
from blocks.environment import ConfigurationUnusable, Environment, FaceHostNotNamed
from blocks.face_host import FaceHost
from blocks.face_host_farm import FaceHostFarm
from blocks.image_store import ImageStoreBlock
from blocks.limits import create_limit
from blocks.stored import DEFAULT, stored_block, unusable
from blocks.story_database import StoryDatabase
from storycanvas.faces.pictures.image_store import ImageStore
from storycanvas.faces.sources.storage_paths import read_stores
from storycanvas.faces.sources.trust import Trust
from storycanvas.net.page_addresses import PageTemplate
from storycanvas.net.redact import redact_url
from storycanvas.net.url_hosts import UrlHost
from storycanvas.services import face_host as local_face_host
from storycanvas.services.local_service import LocalService
from storycanvas.services.mongod import Mongod
from storycanvas.services.shared import acquire

_at_exit = ExitStack()
_running: dict[tuple[str, Path], str] = {}
atexit.register(_at_exit.close)


def face_hosts(environment: Environment) -> tuple[FaceHost, ...]:
    """Get the face hosts, at least one.

    They are those of the farm block, else the host block, else those of `FACEFUSION_URL`, else a
    local preview host with its limit, unless a MongoDB is named: its galleries are real, and are
    to hold no preview pictures unless they are asked for.

    Raises:
        ConfigurationUnusable: What was saved or set cannot be used, or no host is named.
    """
    farm = stored_block(FaceHostFarm)
    if farm is not None:
        return farm.members()
    stored = stored_block(FaceHost)
    if stored is not None:
        return (stored,)
    if environment.facefusion_urls:
        return named_hosts(environment)
    if environment.facefusion_url is None and (named_by := database_named_by(environment)):
        raise FaceHostNotNamed(
            f"No face host is named, and {named_by} names the MongoDB that the pictures would go "
            "to; set FACEFUSION_URL to your face host, or to preview for pictures that only show "
            "what a run would do."
        )
    host = FaceHost(url=_local(local_face_host.FaceHost(), environment))
    create_limit(host.limit_name, slots=1)
    return (host,)


def named_hosts(environment: Environment) -> tuple[FaceHost, ...]:
    """Get the hosts that `FACEFUSION_URL` names, which share `FACEFUSION_TOKEN`."""
    token = environment.facefusion_token
    try:
        return tuple(FaceHost(url=url, token=token) for url in environment.facefusion_urls)
    except ValidationError as error:
        raise unusable("variable FACEFUSION_URL or FACEFUSION_TOKEN", error) from None


@dataclass(frozen=True)
class DatabaseChoice:
    """The database of a run, and where it is named.

    Attributes:
        block: The database.
        named_by: Where the server is named; empty if a local one was started instead.
        name_from: Where the database's name would be given.
    """

    block: StoryDatabase
    named_by: str
    name_from: str

    def describe(self) -> str:
        """Say in a sentence which server and which database a run works on, and why these."""
        address = self.block.address
        name, reason = address.choose(self.block.db_name.strip(), self.name_from)
        place = f"MongoDB at {address.hosts}, database '{name}' ({reason})"
        if self.named_by:
            return f"{place}; server named by {self.named_by}."
        return (
            f"No MongoDB is named, so this run works on one started on this machine: {place}. Set "
            "MONGO_URL to work on another."
        )


def database_named_by(environment: Environment) -> str:
    """Find out where the database's server is named; empty if a local one is started instead."""
    if stored_block(StoryDatabase) is not None:
        return f"the block {StoryDatabase.get_block_type_slug()}/{DEFAULT}"
    return "MONGO_URL" if environment.mongo_url else ""


def story_database(environment: Environment) -> StoryDatabase:
    """Get the database: block, else `MONGO_URL`, else a local mongod."""
    return choose_database(environment).block


def choose_database(environment: Environment) -> DatabaseChoice:
    """Get the database, as `story_database` does, with where it is named."""
    stored = stored_block(StoryDatabase)
    if stored is not None:
        block = f"the block {StoryDatabase.get_block_type_slug()}/{DEFAULT}"
        return DatabaseChoice(stored, block, block)
    named_by = "MONGO_URL" if environment.mongo_url else ""
    url = environment.mongo_url or SecretStr(_local(Mongod(), environment))
    named = StoryDatabase(mongo_url=url, db_name=environment.db_name or "")
    return DatabaseChoice(named, named_by, "DB_NAME")


def image_store(environment: Environment) -> ImageStoreBlock:
    """Get the image store: block, else `IMAGE_STORE`, else a folder of the state directory."""
    stored = stored_block(ImageStoreBlock)
    if stored is not None:
        return stored
    return ImageStoreBlock(url=image_store_url(environment), base_url=environment.image_base_url)


def image_store_url(environment: Environment) -> str:
    """Give the image store's URL without blocks: `IMAGE_STORE`, else a folder of the state."""
    folder = (environment.storycanvas_state / "images").resolve()
    return environment.image_store or folder.as_uri()


def open_image_store(environment: Environment) -> ImageStore:
    """Open the image store with those that `IMAGE_STORES` names beside it.

    Raises:
        ConfigurationUnusable: One of them cannot be opened.
    """
    try:
        roots = read_stores(environment.image_stores or "")
    except ValueError as error:
        raise ConfigurationUnusable(
            f"The variable IMAGE_STORES cannot be used: {error}; it takes NAME=URL, such as "
            "s3=s3://bucket, several separated by commas."
        ) from None
    others = {name: ImageStoreBlock(url=url).open() for name, url in roots.items()}
    return image_store(environment).open(others)


def viewing_url(store: ImageStore, environment: Environment, address: str) -> str:
    """Find where a person's browser shows a picture that documents name by an address.

    It is for artifacts and messages: a port of the local stack is not what documents hold.
    """
    server = environment.storycanvas_pictures_url
    path = store.path_of(address)
    if path is None or server is None or store.url != environment.image_store:
        return address
    return f"{server.rstrip('/')}/{path}" if store.shows(path) else address


def document_trust(environment: Environment) -> Trust:
    """Decide where pictures may lie that documents name, by `IMAGE_URL_HOSTS`.

    Raises:
        ConfigurationUnusable: It holds something else than servers.
    """
    names = [name.strip() for name in (environment.image_url_hosts or "").split(",")]
    return Trust(tuple(_url_host(name) for name in names if name))


def character_pages(environment: Environment) -> PageTemplate | None:
    """Get what makes the address of a character's page in the app, by `APP_CHARACTER_URL`.

    Raises:
        ConfigurationUnusable: It makes no address.
    """
    if environment.app_character_url is None:
        return None
    try:
        return PageTemplate(environment.app_character_url)
    except ValueError as error:
        raise ConfigurationUnusable(
            f"The variable APP_CHARACTER_URL cannot be used: {error}; it is a template such as "
            "https://app.example/characters/{id}."
        ) from None


def _url_host(name: str) -> UrlHost:
    try:
        return UrlHost.parse(name)
    except ValueError:
        raise ConfigurationUnusable(
            f"The variable IMAGE_URL_HOSTS cannot be used: {redact_url(name)!r} is not a server; "
            "it takes HOST or HOST:PORT, several separated by commas."
        ) from None


def civitai(environment: Environment) -> Civitai:
    """Get the catalog of models: block, else `CIVITAI_URL` and `CIVITAI_API_KEY`."""
    stored = stored_block(Civitai)
    if stored is not None:
        return stored
    try:
        return Civitai(url=environment.civitai_url, api_key=environment.civitai_api_key)
    except ValidationError as error:
        raise unusable("variable CIVITAI_URL or CIVITAI_API_KEY", error) from None


def _local(service: LocalService, environment: Environment) -> str:
    """Use a local service until this process ends."""
    place = (service.name, environment.storycanvas_state.resolve())
    if place not in _running:
        lease = acquire(service, environment.storycanvas_state)
        _running[place] = _at_exit.enter_context(lease).url
    return _running[place]
