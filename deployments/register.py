"""Create limits, blocks, the work pool and deployments on the Prefect server."""

import logging
import os
import subprocess
import sys
from collections.abc import Callable, Collection, Iterator
from pathlib import Path

import httpx
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.client.schemas.filters import FlowFilter, FlowFilterName
from prefect.exceptions import ObjectAlreadyExists
from prefect.settings import PREFECT_API_URL

from blocks import limits
from blocks.configured import choose_database, database_named_by, face_hosts
from blocks.environment import ConfigurationUnusable, Environment, FaceHostNotNamed
from blocks.face_host import FaceHost
from deployments.automations.acting import create_automations
from deployments.automations.standing import keep_standing, start_standing
from deployments.blocks import create_blocks, follow_moved
from deployments.forms import shape_forms
from deployments.local_stack import report_errors
from deployments.queues import create_queues
from deployments.run_flow import flow_names
from deployments.stack import POOL
from deployments.story_database import complete_database
from storycanvas.faces.errors import FaceError
from storycanvas.net.redact import redact_url
from storycanvas.services.process import CODE
from storycanvas.services.record import Registered, read_note

log = logging.getLogger(__name__)

PROJECT = "name: storycanvas-pipelines"

NO_SERVER = (
    "No Prefect server is named, and the one that Prefect would start ends with this command; set "
    "PREFECT_API_URL, for example to http://127.0.0.1:4200/api."
)


NOT_NAMED = (
    "No MongoDB is named, so no database was brought up to date; set MONGO_URL, or save the block "
    "story-database/default."
)


def on_prefect_server(command: Callable[[], int | None]) -> int:
    """Run a command on the server of PREFECT_API_URL; what stops it is printed, as `up` does."""

    def on_named_server() -> int | None:
        url = PREFECT_API_URL.value()
        if not url:
            raise ConfigurationUnusable(NO_SERVER)
        try:
            return command()
        except httpx.TransportError as error:
            raise ConfigurationUnusable(
                f"Prefect's server at {redact_url(url)} does not answer: {error}. Start it, or "
                "correct PREFECT_API_URL."
            ) from error

    return report_errors(on_named_server)


def register(
    environment: Environment,
    *,
    replace_blocks: bool,
    replace_blocks_of: Collection[str] = (),
    moved_since: Registered | None = None,
    runs: bool = True,
    database: bool = False,
) -> None:
    """Register everything that a server needs before runs can be started on it.

    Deployments load their flows from the checkout.

    Args:
        environment: The variables.
        replace_blocks: Whether blocks that are there are overwritten.
        replace_blocks_of: Variables whose blocks alone are overwritten.
        moved_since: An earlier registration; blocks follow the addresses that moved since.
        runs: Whether a run of what stands is started, where there is none.
        database: Whether what the configured database lacks is created, before any run may start.

    Raises:
        ConfigurationUnusable: An address, a token or a saved block cannot be used, or there is no
            checkout.
        subprocess.CalledProcessError: `prefect deploy` failed; its output has the reason.
    """
    directory = checkout()
    moved = follow_moved(moved_since, os.environ) if moved_since else []
    print(*moved, sep="\n", end="\n" if moved else "")
    for sentence in create_blocks(
        environment, replace=replace_blocks, replace_of=replace_blocks_of
    ):
        print(sentence)
    if database:
        print(*complete_named_database(environment), sep="\n")
    create_limits(environment)
    if moved_since:
        remove_limit_of_moved_host(environment, moved_since)
    print(create_pool())
    with get_client(sync_client=True) as client:
        print(*create_queues(client), sep="\n")
    deploy = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    subprocess.run(deploy, cwd=directory, check=True)  # noqa: S603 - our own interpreter and words
    with get_client(sync_client=True) as client:
        own = FlowFilter(name=FlowFilterName(any_=flow_names()))
        shape_forms(client, [found.name for found in client.read_deployments(flow_filter=own)])
        print(*create_automations(client, environment), sep="\n")
        print(*keep_standing(client), *(start_standing(client) if runs else []), sep="\n")


def checkout() -> Path:
    """Find the checkout whose flows runs load: that of this code, else the working directory.

    A package that was installed by `pip install .` is a copy without `prefect.yaml`.
    """
    here = Path.cwd()
    for directory in (CODE, here):
        description = directory / "prefect.yaml"
        if description.is_file() and PROJECT in description.read_text().splitlines():
            return directory
    raise ConfigurationUnusable(
        "The deployments are described in prefect.yaml of a checkout of StoryCanvas Pipelines, and "
        f"{here} is none; change to the checkout's directory and start the command again."
    )


def complete_named_database(environment: Environment) -> Iterator[str]:
    """Create what the configured database lacks, and tell which database that is.

    Raises:
        ConfigurationUnusable: Its block holds values that cannot be used.
    """
    if not database_named_by(environment):
        yield NOT_NAMED
        return
    choice = choose_database(environment)
    yield choice.describe()
    told = [
        *complete_database(choice.block.mongo_url.get_secret_value(), choice.block.database_name)
    ]
    yield from told or ["nothing is missing in it"]


def create_pool() -> str:
    """Create the work pool that `prefect.yaml` names, unless there is one, and describe that."""
    with get_client(sync_client=True) as client:
        try:
            client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
        except ObjectAlreadyExists:
            return f"The work pool {POOL} exists already and stays as it is."
    return f"The work pool {POOL} was created."


def create_host_limit(host: FaceHost) -> str:
    """Create a host's limit with the host's number of slots, or one slot if it does not answer."""
    try:
        with host.client() as client:
            slots = client.status().gpu_slots
    except FaceError as error:
        log.warning("%s The limit gets one slot.", error)
        slots = 1
    if limits.create_limit(host.limit_name, slots):
        return f"The limit {host.limit_name} was created with {slots} slot(s)."
    return f"The limit {host.limit_name} exists already and stays as it is."


def create_civitai_limit() -> str:
    """Create the limit that keeps requests to Civitai apart, unless there is one."""
    if limits.create_civitai_limit():
        return f"The limit {limits.CIVITAI_LIMIT} was created: one request a second."
    return f"The limit {limits.CIVITAI_LIMIT} exists already and stays as it is."


def create_limits(environment: Environment) -> None:
    """Create the limits of the hosts that runs on this machine would use, and Civitai's."""
    try:
        for host in face_hosts(environment):
            print(create_host_limit(host))
    except FaceHostNotNamed as error:
        print(f"No limit of a face host was created. {error}")
    print(create_civitai_limit())


def remove_limit_of_moved_host(environment: Environment, before: Registered) -> None:
    """Remove the limit of the stack's own face host at the address that it had before."""
    address = before.addresses.get("FACEFUSION_URL")
    if address is None:
        return
    limit = FaceHost(url=f"http://{address}").limit_name
    used = {host.limit_name for host in face_hosts(environment)}
    if limit not in used and limits.delete_limit(limit):
        print(f"The limit {limit} was removed: no host listens there any more.")


def register_all(
    *,
    replace_blocks: bool,
    replace_blocks_of: Collection[str] = (),
    moved_since: Path | None = None,
    runs: bool = True,
    database: bool = False,
) -> int:
    """Register what the environment names; the exit code is that of `prefect deploy`."""
    before = read_note(moved_since, Registered) if moved_since else None
    try:
        register(
            Environment(),
            replace_blocks=replace_blocks,
            replace_blocks_of=replace_blocks_of,
            moved_since=before,
            runs=runs,
            database=database,
        )
    except subprocess.CalledProcessError as error:
        return int(error.returncode)
    return 0


if __name__ == "__main__":
    from deployments.cli import app

    app(["register", *sys.argv[1:]])
