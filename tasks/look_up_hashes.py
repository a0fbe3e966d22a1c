"""Asking Civitai by hash for local models that the imported catalog does not have."""

from collections.abc import Sequence
from datetime import UTC, datetime
from functools import partial

from prefect import task
from prefect.cache_policies import NO_CACHE
from prefect.logging import get_run_logger
from pymongo.database import Database

from blocks.civitai import Civitai
from catalog.civitai.client import CivitaiClient
from catalog.civitai.items import ItemUnreadable, read_item
from catalog.errors import NotThere
from db.catalog.civitai import StoredItem, upsert_items
from db.catalog.known_hashes import unknown_sha256s
from db.catalog.local_models import local_models
from db.connection import Document
from tasks.civitai_calls import asked_again, one_a_second, open_gate
from tasks.retrying import may_pass

MOST_MODELS = 300
"""Models that are read in one run, one a second; the next run reads more."""

IMPORT_ID = "by-hash"


@task(cache_policy=NO_CACHE, task_run_name="look up hashes", retry_condition_fn=may_pass)
def look_up_hashes(database: Database[Document], catalog: Civitai) -> int:
    """Add the Civitai models of unknown local files to `civitai_models`.

    Returns:
        How many were added.

    Raises:
        catalog.errors.CatalogError: Civitai cannot be reached, refuses the key, or is too busy.
        db.errors.DatabaseError: MongoDB cannot be reached, or refuses the user.
    """
    told = (
        sha256
        for batch in local_models(database)
        for model in batch
        for sha256 in model.hashes.get("SHA256", ())
    )
    unknown = unknown_sha256s(database, told)
    if not unknown:
        return 0
    open_gate()
    with catalog.client(one_a_second) as client:
        hits = asked_again(lambda: client.ids_by_hash(unknown))
        wanted = sorted({hit.model_id for hit in hits})
        if len(wanted) > MOST_MODELS:
            said = "%d models are found by hash; %d of them are read now, the others next time."
            get_run_logger().info(said, len(wanted), MOST_MODELS)
        items = _items(client, wanted[:MOST_MODELS])
    counts = upsert_items(database, items, datetime.now(UTC), IMPORT_ID)
    return counts.new + counts.changed


def _items(client: CivitaiClient, numbers: Sequence[int]) -> list[StoredItem]:
    items = []
    for number in numbers:
        try:
            item = read_item(asked_again(partial(client.model, number)))
        except (NotThere, ItemUnreadable) as error:
            get_run_logger().warning("Civitai's model %d is left out: %s", number, error)
            continue
        items.append(StoredItem(item.id, item.document, item.content_hash))
    return items
