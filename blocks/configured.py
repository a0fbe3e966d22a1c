"""What a run works with: the blocks named `default`, else the environment, else local services."""

import atexit
from contextlib import ExitStack
from pathlib import Path
from typing import TypeVar

from prefect.blocks.core import Block
from pydantic import SecretStr, ValidationError

from blocks.environment import Environment
from blocks.errors import ConfigurationUnusable
from blocks.face_host import FaceHost
from blocks.image_store import ImageStoreBlock
from blocks.limits import create_limit
from blocks.story_database import StoryDatabase
from services import face_host as local_face_host
from services.local_service import LocalService
from services.mongod import Mongod
from services.shared import acquire

DEFAULT = "default"

Kind = TypeVar("Kind", bound=Block)

_at_exit = ExitStack()
_running: dict[tuple[str, Path], str] = {}
atexit.register(_at_exit.close)


def face_host(environment: Environment) -> FaceHost:
    """Get the face host: block, else `FACEFUSION_URL`, else a local preview host and its limit."""
    stored = _stored(FaceHost)
    if stored is not None:
        return stored
    if environment.facefusion_url is not None:
        try:
            return FaceHost(url=environment.facefusion_url, token=environment.facefusion_token)
        except ValidationError as error:
            raise _unusable("variable FACEFUSION_URL or FACEFUSION_TOKEN", error) from None
    host = FaceHost(url=_local(local_face_host.FaceHost(), environment))
    create_limit(host.limit_name, slots=1)
    return host


def story_database(environment: Environment) -> StoryDatabase:
    """Get the database: block, else `MONGO_URL`, else a local mongod."""
    stored = _stored(StoryDatabase)
    if stored is not None:
        return stored
    url = environment.mongo_url or SecretStr(_local(Mongod(), environment))
    return StoryDatabase(mongo_url=url, db_name=environment.db_name)


def image_store(environment: Environment) -> ImageStoreBlock:
    """Get the image store: block, else `IMAGE_STORE`, else a folder of the state directory."""
    stored = _stored(ImageStoreBlock)
    if stored is not None:
        return stored
    folder = (environment.storycanvas_state / "images").resolve()
    url = environment.image_store or folder.as_uri()
    return ImageStoreBlock(url=url, base_url=environment.image_base_url)


def _stored(kind: type[Kind]) -> Kind | None:
    """Load the default block; `ValueError` is how Prefect says that there is none.

    Raises:
        ConfigurationUnusable: Its saved values no longer pass its checks.
    """
    try:
        loaded = kind.load(DEFAULT)
    except ValidationError as error:
        raise _unusable(f"block {kind.get_block_type_slug()}/{DEFAULT}", error) from None
    except RuntimeError:
        raise ConfigurationUnusable(
            f"The block {kind.get_block_type_slug()}/{DEFAULT} holds values that cannot be used; "
            "correct it in the Prefect UI under Blocks."
        ) from None
    except ValueError:
        return None
    return loaded if isinstance(loaded, kind) else None


def _unusable(what: str, error: ValidationError) -> ConfigurationUnusable:
    first = error.errors(include_url=False, include_input=False, include_context=False)[0]
    said = first["msg"].removeprefix("Value error, ")
    return ConfigurationUnusable(f"The {what} cannot be used: {said}.")


def _local(service: LocalService, environment: Environment) -> str:
    """Use a local service until this process ends."""
    place = (service.name, environment.storycanvas_state.resolve())
    if place not in _running:
        lease = acquire(service, environment.storycanvas_state)
        _running[place] = _at_exit.enter_context(lease).url
    return _running[place]
