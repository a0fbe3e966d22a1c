"""Looks up at Civitai, by hash, local models that the imported catalog does not have."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar, cast

from prefect.logging import get_run_logger
from pymongo.database import Database

from blocks.civitai import Civitai
from blocks.limits import create_civitai_limit
from db.catalog.civitai.item_writes import StoredItem
from db.catalog.civitai.items import unknown_hashes, upsert_items
from db.catalog.matches.local_models import StoredLocalModel, local_models
from db.connection import Document
from storycanvas.catalog.civitai.client import CivitaiClient
from storycanvas.catalog.civitai.items import ItemUnreadable, read_item
from storycanvas.catalog.civitai.version_files import version_files_of_answer
from storycanvas.catalog.entries import HashKind
from storycanvas.catalog.errors import AnswerUnreadable, CatalogBusy, CatalogRefused, NotThere
from storycanvas.catalog.matching.local_models import known_hashes
from tasks.catalog.civitai_api import call_with_retries, wait_for_rate_limit
from tasks.retries import retrying_task

Value = TypeVar("Value")


def in_turn(values: Sequence[Value], most: int, turn: int) -> list[Value]:
    """Take at most `most` values (1 or more), others each turn and all in time.

    So values that are looked up in vain again and again do not block the others.

    Args:
        values: All, in the same order each time.
        most: How many at most.
        turn: Counts up, such as the number of the day.
    """
    if len(values) <= most:
        return [*values]
    begin = turn * most % len(values)
    return [*values[begin:], *values[:begin]][:most]


_SUREST_FIRST: tuple[HashKind, ...] = ("SHA256", "BLAKE3", "AutoV3")


def hashes_to_look_up(models: Iterable[StoredLocalModel]) -> dict[HashKind, set[str]]:
    """Take the surest hash of each model that no person has linked, normalised, by kind.

    AutoV2 is left out: it is known only together with a SHA-256.
    """
    wanted: dict[HashKind, set[str]] = {kind: set() for kind in _SUREST_FIRST}
    for model in models:
        if model.is_confirmed:
            continue
        known = known_hashes(cast("Mapping[HashKind, frozenset[str]]", model.hashes))
        kind = next((kind for kind in _SUREST_FIRST if known[kind]), None)
        if kind is not None:
            wanted[kind] |= known[kind]
    return wanted


MAX_MODELS = 300
"""Models that are read in a run, one a second; later runs read the rest."""
MAX_HASHES = 100
"""Hashes that are looked up singly in a run, one a second; each day others."""
MAX_BROKEN = 3
"""Unreadable or broken answers in a row that end the look-up until the next run."""

IMPORT_ID = "by-hash"


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What Civitai found by hash.

    Attributes:
        models: How many were added to `civitai_models`, or have changed there.
        left_out: What could not be read or stored, and why, as sentences.
    """

    models: int = 0
    left_out: tuple[str, ...] = ()


@retrying_task("look up hashes")
def look_up_hashes(database: Database[Document], catalog: Civitai) -> LookedUp:
    """Add the Civitai models of unknown local files to `civitai_models`, each as it is read.

    SHA-256 sums are looked up all at once. BLAKE3 and AutoV3 can only be looked up singly, so they
    are for files without a known SHA-256, `MAX_HASHES` a run.

    Raises:
        storycanvas.catalog.errors.CatalogError: Civitai cannot be reached, refuses the key, or is
            too busy.
    """
    wanted = hashes_to_look_up(model for batch in local_models(database) for model in batch)
    unknown = {kind: unknown_hashes(database, kind, some) for kind, some in wanted.items()}
    if not any(unknown.values()):
        return LookedUp()
    create_civitai_limit()
    today = datetime.now(UTC).toordinal()
    single = [(kind, digits) for kind in wanted if kind != "SHA256" for digits in unknown[kind]]
    with catalog.client(wait_for_rate_limit) as client:
        found = set(_found_at_once(client, unknown["SHA256"]))
        today_hashes = in_turn(single, MAX_HASHES, today)
        left_out: list[str] = []
        found.update(_found_singly(client, today_hashes, left_out))
        numbers = in_turn(sorted(found), MAX_MODELS, today)
        _log_postponed("hashes", len(single), len(today_hashes))
        _log_postponed("models", len(found), len(numbers))
        return _store_models(database, client, numbers, left_out)


def _found_at_once(client: CivitaiClient, sha256s: Sequence[str]) -> Iterator[int]:
    if sha256s:
        yield from (hit.model_id for hit in call_with_retries(lambda: client.ids_by_hash(sha256s)))


def _found_singly(
    client: CivitaiClient, hashes: Iterable[tuple[HashKind, str]], left_out: list[str]
) -> Iterator[int]:
    """Look up each hash; an unreadable answer is added to `left_out`."""
    broken = 0
    for kind, digits in hashes:
        try:
            answer = call_with_retries(partial(client.version_by_hash, digits))
            broken = 0
        except (AnswerUnreadable, CatalogBusy) as error:
            broken += 1
            if broken == MAX_BROKEN or not _is_of_one_answer(error):
                raise
            left_out.append(f"Civitai's answer about {digits} is left out: {error}")
            continue
        files = version_files_of_answer(answer)
        yield from {file.model_id for file in files if file.hashes.get(kind) == digits}


def _store_models(
    database: Database[Document],
    client: CivitaiClient,
    numbers: Iterable[int],
    left_out: list[str],
) -> LookedUp:
    """Read models and store each at once, so that a stop loses none."""
    models = broken = 0
    for number in numbers:
        try:
            item = read_item(call_with_retries(partial(client.model, number)))
            broken = 0
        except (NotThere, CatalogRefused, ItemUnreadable) as error:
            broken = 0
            left_out.append(f"Civitai's model {number} is left out: {error}")
            continue
        except (AnswerUnreadable, CatalogBusy) as error:
            broken += 1
            if broken == MAX_BROKEN or not _is_of_one_answer(error):
                raise
            left_out.append(f"Civitai's model {number} is left out: {error}")
            continue
        stored = StoredItem(item.id, item.document, item.content_hash)
        counts = upsert_items(database, [stored], datetime.now(UTC), IMPORT_ID)
        models += counts.new + counts.changed
        left_out += [f"Civitai's model {id_} is left out: {why}" for id_, why in counts.failed]
    return LookedUp(models, tuple(left_out))


def _is_of_one_answer(error: AnswerUnreadable | CatalogBusy) -> bool:
    """Whether other models may be answered: one that always breaks must not block the others."""
    return isinstance(error, AnswerUnreadable) or error.may_be_of_the_request


def _log_postponed(what: str, count: int, now: int) -> None:
    if count > now:
        text = "Of %d %s to look up at Civitai, %d are looked up now, the rest on other days."
        get_run_logger().info(text, count, what, now)
