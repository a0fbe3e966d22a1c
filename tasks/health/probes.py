"""The probes of all configured hosts; a wrong configuration is a host in trouble."""

from collections import Counter
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from functools import partial
from urllib.parse import urlsplit

import httpx
import pymongo
from pymongo.database import Database

from blocks.configured import face_hosts, image_store
from blocks.environment import ConfigurationUnusable, Environment, FaceHostNotNamed
from blocks.face_host import FaceHost
from blocks.story_database import StoryDatabase
from db.catalog.servers import Server, ServersFound
from db.connection import Document, connect, translated_errors
from db.errors import DatabaseError, DatabaseUnreachable
from storycanvas.catalog.comfyui.server import is_runpod
from storycanvas.catalog.health.checks import (
    Answer,
    GpuGuard,
    HostKind,
    HostQueue,
    Probe,
    timed,
)
from storycanvas.catalog.health.probes import ask_comfyui, ask_image_store, ask_runpod
from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.client.timeouts import Timeouts
from storycanvas.faces.errors import FaceError, HostUnreachable
from storycanvas.gpu.guard.status import read_state
from storycanvas.net.redact import redact_url
from storycanvas.net.retry import RetryPolicy
from storycanvas.services.errors import ServiceError
from tasks.database.connection import named_database, warn_of_missing_collections

_TIMEOUTS = Timeouts(connect=2.0, transfer=1.0, answers={"status": 3.0})
_RETRIES = RetryPolicy(tries=2, patience=1.0)
"""A blip must not look like a host that went away."""

_NO_LIMIT = (
    "Its limit '{}' does not exist, so nothing is sent to it; create it with: "
    "storycanvas register --limits-only"
)
_NO_GUARD = (
    "Its limit '{}' is switched off or 0, so nothing is sent to it; set it in the Prefect UI under "
    "Concurrency."
)


def face_host_probes(environment: Environment) -> list[Probe]:
    """Make a probe for each face host, the same address once; none where no host is named."""
    try:
        hosts = {host.url: host for host in face_hosts(environment)}
    except FaceHostNotNamed:
        return []
    except (ConfigurationUnusable, ServiceError) as error:
        return [broken_probe("face hosts", "face host", str(error))]
    return [
        Probe(urlsplit(url).netloc, "face host", url, partial(ask_face_host, host))
        for url, host in hosts.items()
    ]


def image_store_probe(environment: Environment) -> Probe:
    """Make the probe for the image store."""
    try:
        url = image_store(environment).url
    except ConfigurationUnusable as error:
        return broken_probe("image store", "image store", str(error))
    address = redact_url(url)
    ask = partial(ask_image_store, url, environment.storycanvas_store_min_free_mb)
    return Probe("image store", "image store", address, ask)


def server_probes(found: ServersFound, taken: Collection[str]) -> list[Probe]:
    """Make a probe for each ComfyUI server; a row that cannot be used is one in trouble.

    A server whose name is in `taken`, or another server's, is shown with its id.
    """
    names = Counter([*taken, *(server.name for server in found.servers)])
    probes = []
    for server in found.servers:
        name = server.name if names[server.name] == 1 else f"{server.name} ({server.id})"
        probes.append(Probe(name, "comfyui", server.address, partial(_ask_server, server)))
    for subject, reason in found.unreadable:
        probes.append(broken_probe(subject, "comfyui", f"It cannot be asked. {reason}"))
    return probes


def broken_probe(name: str, kind: HostKind, problem: str) -> Probe:
    """Make a probe that answers with the problem why a host cannot be asked at all."""
    return Probe(name, kind, "", lambda: Answer(state="error", note=problem))


def ask_face_host(host: FaceHost) -> Answer:
    """Ask a face host for its status, and Prefect for the limit that guards it."""
    token = host.token.get_secret_value() if host.token else None
    try:
        with FaceHostClient(host.url, token, timeouts=_TIMEOUTS, retries=_RETRIES) as client:
            status, latency = timed(client.status)
    except FaceError as error:
        state = "down" if isinstance(error, HostUnreachable) else "error"
        return _guarded(Answer(state=state, note=str(error)), host.limit_name)
    answer = Answer(
        state="up" if status.status == "ok" else status.status,
        latency_ms=latency,
        version=f"{status.engine} {status.engine_version}",
        queue=HostQueue(running=status.busy, waiting=status.queued),
    )
    return _guarded(answer, host.limit_name)


def _guarded(answer: Answer, limit_name: str) -> Answer:
    """Add the state of the guard; whether the host is up does not depend on it."""
    try:
        state = read_state(limit_name)
    except httpx.HTTPError as error:
        return _noted(answer, f"Its GPU guard is unknown ({type(error).__name__}).")
    guarded = bool(state.slots) and state.active
    guard = GpuGuard(slots=state.slots, taken=state.taken, guarded=guarded)
    answer = answer.model_copy(update={"gpu": guard})
    if guarded:
        return answer
    trouble = _NO_LIMIT if state.slots is None else _NO_GUARD
    return _noted(answer, trouble.format(limit_name))


def _noted(answer: Answer, sentence: str) -> Answer:
    return answer.model_copy(update={"note": " ".join(filter(None, [answer.note, sentence]))})


def _ask_server(server: Server) -> Answer:
    if server.server_type == "runpod" or is_runpod(server.url):
        return ask_runpod(server.url, server.api_key, server.endpoint_id)
    return ask_comfyui(server.url, server.api_key)


OPEN_SECONDS = 2.5
"""For opening the database; only then its ComfyUI servers are known and asked."""

ANSWER_SECONDS = 3.0
"""For each later part of the work with it."""

_DISK_SECONDS = 1.0
"""For an optional part; together with the others it stays below the limit of a whole check."""

NAME = "mongodb"


def configured_database(environment: Environment) -> StoryDatabase | Probe:
    """Find out where the database is; a probe in trouble if that is unknown.

    If none is configured, a local server is started, which takes seconds.
    """
    try:
        return named_database(environment)
    except (ConfigurationUnusable, ServiceError) as error:
        return broken_probe(NAME, "mongodb", str(error))


@contextmanager
def checked_database(
    configured: StoryDatabase | Probe,
) -> Iterator[tuple[Database[Document] | None, Probe]]:
    """Open the database with one short try, and close it again.

    Yields:
        The database, None if it cannot be opened, and the probe of its state.
    """
    if isinstance(configured, Probe):
        yield None, configured
        return
    address = _address(configured)
    try:
        with pymongo.timeout(OPEN_SECONDS):
            url = configured.mongo_url.get_secret_value()
            database = connect(url, configured.database_name, pool_size=4, tries=1)
    except DatabaseError as error:
        yield None, Probe(NAME, "mongodb", address, partial(_not_opened, error))
        return
    try:
        warn_of_missing_collections(database)
        yield database, Probe(NAME, "mongodb", address, partial(ask_database, database))
    finally:
        database.client.close()


def ask_database(database: Database[Document]) -> Answer:
    """Ask a database whether it answers, for its version and for the room on its disk."""
    try:
        with pymongo.timeout(ANSWER_SECONDS), translated_errors():
            _, latency = timed(lambda: database.command("ping"))
            version = database.command("buildInfo").get("version")
    except DatabaseError as error:
        return _not_opened(error)
    answer = Answer(latency_ms=latency, version=str(version))
    return answer.model_copy(update={"free_disk_bytes": _free_disk(database)})


def _free_disk(database: Database[Document]) -> int | None:
    """Read the disk's room from `dbStats`; not every user may ask, nor every server report it."""
    try:
        with pymongo.timeout(_DISK_SECONDS), translated_errors():
            stats = database.command("dbStats")
    except DatabaseError:
        return None
    total, used = stats.get("fsTotalSize"), stats.get("fsUsedSize")
    if not total or used is None:  # 0 for a database that does not exist yet
        return None
    return max(int(total - used), 0)


def _not_opened(error: DatabaseError) -> Answer:
    state = "down" if isinstance(error, DatabaseUnreachable) else "error"
    return Answer(state=state, note=str(error))


def _address(block: StoryDatabase) -> str:
    scheme, _, rest = redact_url(block.mongo_url.get_secret_value()).partition("://")
    return f"{scheme}://{rest.partition('/')[0]}/{block.database_name}"
