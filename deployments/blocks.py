"""Create the blocks named `default` from the environment, for operators to edit in the UI."""

from collections.abc import Iterator

from prefect.blocks.core import Block
from prefect.exceptions import ObjectAlreadyExists

from blocks import FaceHost, ImageStoreBlock, StoryDatabase
from blocks.configured import DEFAULT
from blocks.environment import Environment


def create_blocks(environment: Environment, *, replace: bool) -> list[str]:
    """Register the block types and save what the environment names.

    Args:
        environment: The variables; what is not set makes no block.
        replace: Whether a block that is there is overwritten; else the operator's edits stay.

    Returns:
        What was done, one sentence a block.
    """
    done = []
    for block in _named(environment):
        _register(type(block))
        done.append(_save(block, replace=replace))
    return done


def _register(kind: type[Block]) -> None:
    """Register a block type; the second try is for an answer that got lost.

    Prefect's client repeats a request that a busy server carried out but did not answer in time,
    and is then told that the type exists.
    """
    try:
        kind.register_type_and_schema()
    except ObjectAlreadyExists:
        kind.register_type_and_schema()


def _named(environment: Environment) -> Iterator[Block]:
    if environment.mongo_url is not None:
        yield StoryDatabase(mongo_url=environment.mongo_url, db_name=environment.db_name)
    if environment.facefusion_url is not None:
        yield FaceHost(url=environment.facefusion_url, token=environment.facefusion_token)
    if environment.image_store is not None:
        yield ImageStoreBlock(url=environment.image_store, base_url=environment.image_base_url)


def _save(block: Block, *, replace: bool) -> str:
    name = f"{block.get_block_type_slug()}/{DEFAULT}"
    try:
        block.save(DEFAULT, overwrite=replace)
    except ValueError:
        return f"The block {name} exists already and stays as it is."
    return f"The block {name} was saved."
