"""Asking Civitai by hash for local models that the imported catalog does not have."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import partial
from typing import TypeVar, cast

from prefect.logging import get_run_logger
from pymongo.database import Database

from blocks.civitai import Civitai
from blocks.limits import create_civitai_limit
from db.catalog.civitai.items import StoredItem, unknown_hashes, upsert_items
from db.catalog.matches.local_models import StoredLocalModel, local_models
from db.connection import Document
from storycanvas.catalog.civitai.client import CivitaiClient
from storycanvas.catalog.civitai.items import ItemUnreadable, read_item
from storycanvas.catalog.civitai.version_files import version_files_of_answer
from storycanvas.catalog.entries import HashKind
from storycanvas.catalog.errors import AnswerUnreadable, CatalogRefused, NotThere
from storycanvas.catalog.matching.local_models import known_hashes
from tasks.catalog.civitai_api import call_with_retries, wait_for_rate_limit
from tasks.retries import retrying_task

Value = TypeVar("Value")


def in_turn(values: Sequence[Value], most: int, turn: int) -> list[Value]:
    """Take as many as may be looked for now, others each turn and all in time.

    So what is looked for in vain, again and again, keeps no other from its turn.

    Args:
        values: All, in the same order each time.
        most: How many at most; 1 or more.
        turn: Counts up, such as the number of the day.
    """
    if len(values) <= most:
        return [*values]
    begin = turn * most % len(values)
    return [*values[begin:], *values[:begin]][:most]


_SUREST_FIRST: tuple[HashKind, ...] = ("SHA256", "BLAKE3", "AutoV3")


def hashes_to_ask_for(models: Iterable[StoredLocalModel]) -> dict[HashKind, set[str]]:
    """Take each model's surest hash, in one spelling.

    What a person has linked needs no asking.

    Args:
        models: As the servers tell of them.

    Returns:
        By kind; AutoV2 is left out, for nothing tells it without a SHA-256.
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
"""Models that are read in one run, one a second; other runs read the others."""
MAX_HASHES = 100
"""Hashes that are asked for one by one in one run, one a second; each day others."""
MAX_BROKEN = 3
"""Answers in a row that cannot be read; then Civitai is left alone until the next run."""

IMPORT_ID = "by-hash"


@dataclass(frozen=True, slots=True)
class LookedUp:
    """What Civitai told by hash.

    Attributes:
        models: How many were added to `civitai_models`, or have changed there.
        left_out: What could not be read or stored, and why, as sentences.
    """

    models: int = 0
    left_out: tuple[str, ...] = ()


@retrying_task("look up hashes")
def look_up_hashes(database: Database[Document], catalog: Civitai) -> LookedUp:
    """Add the Civitai models of unknown local files to `civitai_models`, each as it is read.

    SHA-256 sums are asked for all at once. BLAKE3 and AutoV3 can only be asked for one by one, so
    they are for files of which no SHA-256 is known, `MAX_HASHES` a run.

    Raises:
        storycanvas.catalog.errors.CatalogError: Civitai cannot be reached, refuses the key, or is
            too busy.
    """
    told = hashes_to_ask_for(model for batch in local_models(database) for model in batch)
    unknown = {kind: unknown_hashes(database, kind, some) for kind, some in told.items()}
    if not any(unknown.values()):
        return LookedUp()
    create_civitai_limit()
    today = datetime.now(UTC).toordinal()
    single = [(kind, digits) for kind in told if kind != "SHA256" for digits in unknown[kind]]
    with catalog.client(wait_for_rate_limit) as client:
        found = set(_asked_at_once(client, unknown["SHA256"]))
        asked = in_turn(single, MAX_HASHES, today)
        left_out: list[str] = []
        found.update(_asked_one_by_one(client, asked, left_out))
        numbers = in_turn(sorted(found), MAX_MODELS, today)
        _say_what_waits("hashes", len(single), len(asked))
        _say_what_waits("models", len(found), len(numbers))
        return _taken_in(database, client, numbers, left_out)


def _asked_at_once(client: CivitaiClient, sha256s: Sequence[str]) -> Iterator[int]:
    if sha256s:
        yield from (hit.model_id for hit in call_with_retries(lambda: client.ids_by_hash(sha256s)))


def _asked_one_by_one(
    client: CivitaiClient, hashes: Iterable[tuple[HashKind, str]], left_out: list[str]
) -> Iterator[int]:
    """Ask for each hash; a bad answer stops no other, and is added to `left_out`."""
    broken = 0
    for kind, digits in hashes:
        try:
            answer = call_with_retries(partial(client.version_by_hash, digits))
            broken = 0
        except AnswerUnreadable as error:
            broken += 1
            if broken == MAX_BROKEN:
                raise
            left_out.append(f"Civitai's answer about {digits} is left out: {error}")
            continue
        files = version_files_of_answer(answer)
        yield from {file.model_id for file in files if file.hashes.get(kind) == digits}


def _taken_in(
    database: Database[Document],
    client: CivitaiClient,
    numbers: Iterable[int],
    left_out: list[str],
) -> LookedUp:
    """Read models and store each at once, so that a stop loses none; a bad one stops no other."""
    models = broken = 0
    for number in numbers:
        try:
            item = read_item(call_with_retries(partial(client.model, number)))
            broken = 0
        except (NotThere, CatalogRefused, AnswerUnreadable, ItemUnreadable) as error:
            broken = broken + 1 if isinstance(error, AnswerUnreadable) else 0
            if broken == MAX_BROKEN:
                raise
            left_out.append(f"Civitai's model {number} is left out: {error}")
            continue
        stored = StoredItem(item.id, item.document, item.content_hash)
        counts = upsert_items(database, [stored], datetime.now(UTC), IMPORT_ID)
        models += counts.new + counts.changed
        left_out += [f"Civitai's model {id_} is left out: {why}" for id_, why in counts.failed]
    return LookedUp(models, tuple(left_out))


def _say_what_waits(what: str, count: int, now: int) -> None:
    if count > now:
        said = "Of %d %s to ask Civitai for, %d are asked for now, the others on other days."
        get_run_logger().info(said, count, what, now)
