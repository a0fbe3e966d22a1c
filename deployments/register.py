"""Bring limits, blocks and deployments to the Prefect server: `python -m deployments.register`.

Needs `PREFECT_API_URL` and the variables that the blocks are to hold; see docs/configuration.md.
"""

import argparse
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import WorkPoolCreate
from prefect.exceptions import ObjectAlreadyExists

from blocks.configured import face_hosts
from blocks.environment import Environment
from deployments.blocks import create_blocks
from deployments.limits import create_civitai_limit, create_host_limit
from deployments.stack import POOL

CODE = Path(__file__).resolve().parents[1]


def register(environment: Environment, *, replace_blocks: bool) -> None:
    """Register everything that a server needs before runs can be started on it.

    Args:
        environment: The variables.
        replace_blocks: Whether blocks that are there are overwritten.

    Raises:
        ConfigurationUnusable: An address, a token or a saved block cannot be used.
        subprocess.CalledProcessError: `prefect deploy` failed; it has said why.
    """
    for sentence in create_blocks(environment, replace=replace_blocks):
        print(sentence)
    for host in face_hosts(environment):
        print(create_host_limit(host))
    print(create_civitai_limit())
    print(create_pool())
    deploy = [sys.executable, "-m", "prefect", "--no-prompt", "deploy", "--all"]
    subprocess.run(deploy, cwd=CODE, check=True)  # noqa: S603 - our own interpreter and words


def create_pool() -> str:
    """Create the work pool that `prefect.yaml` names, unless there is one.

    Returns:
        What was done, in one sentence.
    """
    with get_client(sync_client=True) as client:
        try:
            client.create_work_pool(WorkPoolCreate(name=POOL, type="process"))
        except ObjectAlreadyExists:
            return f"The work pool {POOL} exists already and stays as it is."
    return f"The work pool {POOL} was created."


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the command."""
    parser = argparse.ArgumentParser(prog="python -m deployments.register", description=__doc__)
    parser.add_argument(
        "--replace-blocks", action="store_true", help="overwrite the blocks named default"
    )
    options = parser.parse_args(arguments)
    try:
        register(Environment(), replace_blocks=options.replace_blocks)
    except subprocess.CalledProcessError as error:
        return int(error.returncode)
    return 0


if __name__ == "__main__":
    sys.exit(main())
