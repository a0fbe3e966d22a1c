"""Create the blocks from the environment, for operators to edit in the UI.

They are named `default`, but for the hosts of a farm, which are named by their addresses.
"""

import re
import sys
from collections.abc import Collection, Iterator, Mapping, Sequence
from typing import Any

from prefect.blocks.core import Block
from prefect.client.orchestration import get_client
from prefect.client.schemas.actions import BlockDocumentUpdate
from prefect.client.schemas.objects import BlockSchema
from prefect.exceptions import ObjectAlreadyExists, ObjectNotFound

from blocks import Civitai, FaceHost, FaceHostFarm, ImageStoreBlock, StoryDatabase
from blocks.configured import civitai, named_hosts
from blocks.environment import ConfigurationUnusable, Environment
from blocks.stored import DEFAULT, stored_block
from db.errors import DatabaseError
from storycanvas.catalog.errors import CatalogError
from storycanvas.faces.errors import FaceError
from storycanvas.services.record import Registered, netloc

FIELDS: Mapping[str, tuple[type[Block], str]] = {
    "MONGO_URL": (StoryDatabase, "mongo_url"),
    "DB_NAME": (StoryDatabase, "db_name"),
    "FACEFUSION_URL": (FaceHost, "url"),
    "IMAGE_STORE": (ImageStoreBlock, "url"),
    "IMAGE_BASE_URL": (ImageStoreBlock, "base_url"),
}
"""The field of the default block that holds the value of a variable of the local stack."""

Checked = FaceHost | FaceHostFarm | StoryDatabase | ImageStoreBlock | Civitai
KINDS: tuple[type[Checked], ...] = (FaceHost, FaceHostFarm, StoryDatabase, ImageStoreBlock, Civitai)
_TROUBLE = (ConfigurationUnusable, FaceError, DatabaseError, CatalogError)

NamedBlock = tuple[str, Block, set[str]]
"""Its name, the block, and the variables whose values it holds."""


def create_blocks(
    environment: Environment, *, replace: bool, replace_of: Collection[str] = ()
) -> list[str]:
    """Register the block types, save what the environment names, and describe that block by block.

    Args:
        environment: The variables; what is not set makes no block.
        replace: Whether a block that is there is overwritten; else the operator's edits stay.
        replace_of: Variables: a block that holds one of them is overwritten in any case.

    Raises:
        ConfigurationUnusable: An address or a token cannot be used.
    """
    done = []
    for kind in (FaceHostFarm, Civitai):  # so that they can be made in the UI, too
        _register(kind)
    for name, block, variables in _named(environment):
        _register(type(block))
        overwrite = replace or not variables.isdisjoint(replace_of)
        done.append(_save(name, block, replace=overwrite))
    return done


def follow_moved(before: Registered, environment: Mapping[str, str]) -> list[str]:
    """Let the default blocks follow what has moved since a registration, and describe each.

    Only the field that holds the address changes, and only where it still holds it: everything
    else in a block is the operator's.

    Args:
        before: What was registered.
        environment: All variables; those that no block holds are ignored.
    """
    values = {name: environment[name] for name in FIELDS if name in environment}
    return [_follow(before, name, values[name]) for name in before.moved(values)]


def _follow(before: Registered, variable: str, now: str) -> str:
    kind, field = FIELDS[variable]
    slug = kind.get_block_type_slug()
    name = f"{slug}/{DEFAULT}"
    with get_client(sync_client=True) as client:
        try:
            document = client.read_block_document_by_name(DEFAULT, slug, include_secrets=True)
        except ObjectNotFound:
            return f"There is no block {name}: {variable} has moved, and it is made anew."
        value = before.follow(variable, str(document.data.get(field) or ""), now)
        if value is None:
            return f"The block {name} holds an address of its own and stays as it is."
        changed = BlockDocumentUpdate(data={field: value}, merge_existing_data=True)
        client.update_block_document(document.id, changed)
    return f"The block {name} follows {variable}, which has moved: {netloc(value) or value}."


def _register(kind: type[Block]) -> None:
    """Register a block type; the second try is for an answer that got lost.

    Prefect's client repeats a request that a busy server did not answer in time although it did
    it; the answer to the repetition is that the type exists.
    """
    try:
        kind.register_type_and_schema()
    except ObjectAlreadyExists:
        kind.register_type_and_schema()
    _show_newest_form(kind)


def _show_newest_form(kind: type[Block]) -> None:
    """Show saved blocks of a type in the form of this version; what is in them stays.

    A saved block keeps the form of the version that saved it.
    """
    fields = kind.model_json_schema()["properties"]
    with get_client(sync_client=True) as client:
        saved = client.read_block_documents_by_type(kind.get_block_type_slug())
        older = [document for document in saved if _fields(document.block_schema) != fields]
        if not older:
            return
        [newest, *_] = [
            schema.id
            for schema in client.read_block_schemas()
            if schema.block_type_id == older[0].block_type_id and _fields(schema) == fields
        ]
        for document in older:
            # Without data, though empty, the server changes nothing (Prefect 3.9).
            shown = BlockDocumentUpdate(block_schema_id=newest, data={}, merge_existing_data=True)
            client.update_block_document(document.id, shown)


def _fields(schema: BlockSchema | None) -> Any:  # noqa: ANN401 - JSON is any value
    return schema.fields.get("properties") if schema else None


def _named(environment: Environment) -> Iterator[NamedBlock]:
    if environment.mongo_url is not None:
        database = StoryDatabase(mongo_url=environment.mongo_url, db_name=environment.db_name or "")
        yield DEFAULT, database, {"MONGO_URL", "DB_NAME"}
    yield from _hosts(named_hosts(environment))
    if environment.image_store is not None:
        store = ImageStoreBlock(url=environment.image_store, base_url=environment.image_base_url)
        yield DEFAULT, store, {"IMAGE_STORE", "IMAGE_BASE_URL"}
    if environment.civitai_api_key is not None:
        yield DEFAULT, civitai(environment), {"CIVITAI_URL", "CIVITAI_API_KEY"}


def _hosts(hosts: tuple[FaceHost, ...]) -> Iterator[NamedBlock]:
    """A single host is the default one; several have names of their own, and a farm."""
    if len(hosts) == 1:
        yield DEFAULT, hosts[0], {"FACEFUSION_URL", "FACEFUSION_TOKEN"}
        return
    names = [host_block_name(host) for host in hosts]
    for name, host in zip(names, hosts, strict=True):
        yield name, host, set()  # named by its address, so another address is another block
    if names:
        yield DEFAULT, FaceHostFarm(hosts=names), {"FACEFUSION_URL"}


def host_block_name(host: FaceHost) -> str:
    """Name the block of a farm's host by its address: Prefect takes letters, digits and dashes."""
    return re.sub(r"[^a-z0-9]+", "-", host.limit_name.lower()).strip("-")


def _save(document: str, block: Block, *, replace: bool) -> str:
    name = f"{block.get_block_type_slug()}/{document}"
    try:
        block.save(document, overwrite=replace)
    except ValueError:
        return f"The block {name} exists already and stays as it is."
    return f"The block {name} was saved."


def check_blocks(saved: Sequence[tuple[type[Checked], str]]) -> int:
    """Have blocks do one harmless call each, and print what they say.

    Args:
        saved: Kinds and names, as of `saved_blocks`.

    Returns:
        0; 1 if one of them cannot be used.
    """
    if not saved:
        print("No block is saved, so runs take the environment variables.")
    said = [_check(kind, name) for kind, name in saved]
    return int(not all(said))


def saved_blocks() -> list[tuple[type[Checked], str]]:
    """List the saved blocks of this project, kind and name."""
    with get_client(sync_client=True) as client:
        known = {kind.slug for kind in client.read_block_types()}
        return [
            (kind, document.name)
            for kind in KINDS
            if kind.get_block_type_slug() in known
            for document in client.read_block_documents_by_type(kind.get_block_type_slug())
            if document.name
        ]


def _check(kind: type[Checked], name: str) -> bool:
    try:
        block = stored_block(kind, name)
        if block is not None:  # else it was deleted meanwhile
            print(block.check())
    except _TROUBLE as error:
        print(f"{kind.get_block_type_name()} {name} cannot be used: {error}", file=sys.stderr)
        return False
    return True
