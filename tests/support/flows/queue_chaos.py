"""Drains that are killed while they work on jobs of all types, and what must hold in the end."""

import random
import subprocess
import time
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

from pymongo.database import Database

from db.queues.expired import USED_UP
from storycanvas.faces.client.host_client import FaceHostClient

Stored = dict[str, Any]
ENDS = ("completed", "failed")
GALLERY, HISTORY = "facefusion_output_gallery", "facefusion_processing_history"
KILL_SECONDS = (1.0, 4.0)
"""After a drain was seen at work."""
POLL_SECONDS = 0.1
END_SECONDS = 30.0


def jobs_of_all_types(
    pictures: Sequence[str], characters: Sequence[str], count: int
) -> list[Stored]:
    """Write jobs, each with operations of its own; of every ten one cannot be done.

    Args:
        pictures: Addresses of portraits in the image store.
        characters: Whose galleries receive the results; every third job is without one.
        count: How many.
    """
    return [_job(number, pictures, characters) for number in range(count)]


def _job(number: int, pictures: Sequence[str], characters: Sequence[str]) -> Stored:
    one = {"image_url": pictures[number % len(pictures)]}
    other = pictures[(number + 1) % len(pictures)]
    share = (number % 97 + 1) / 100
    swap = {"source_face_url": other, "target_image_url": one["image_url"]}
    ages = [20 + number % 30, 55 + number % 30]
    chain = {"chain": "enhance-and-age", "pictures": {"start": one["image_url"]}}
    items = [{"type": "enhance", **one, "face_enhancer_blend": share}, {"type": "magic"}]
    kinds: list[Stored] = [
        {"job_type": "enhance", "input_data": {**one, "face_enhancer_blend": share}},
        {"job_type": "age_adjust", "input_data": {**one, "target_age": 20 + number % 60}},
        {"job_type": "age_adjust", "input_data": {**one, "ages": ages, "enhance": "none"}},
        {"job_type": "swap", "input_data": {**swap, "longest_side": 300 + number}},
        {"job_type": "edit", "input_data": {**one, "mouth_smile": number % 100 + 1}},
        {"job_type": "mask", "input_data": {**one, "longest_side": 300 + number}},
        {"job_type": "detect", "input_data": {**one, "longest_side": 300 + number}},
        {"input_data": {"operations": items}},
        {"job_type": "chain", "input_data": {**chain, "longest_side": 300 + number}},
        {"job_type": "age_adjust", "input_data": {**one, "target_age": 5}},
    ]
    job = kinds[number % len(kinds)] | {"priority": number % 3}
    return job if number % 3 == 0 else {**job, "character_id": characters[number % len(characters)]}


@dataclass(frozen=True)
class Outcome:
    """What the drains left.

    Attributes:
        statuses: How many jobs ended how.
        used_up: Jobs that were killed as often as they may be claimed.
        operations: What the hosts have counted.
        recorded: What the ledger has, of operations that succeeded.
        faults: What must not be, in sentences.
    """

    statuses: dict[str, int]
    used_up: int
    operations: int
    recorded: int
    faults: tuple[str, ...]


def kill_drains(
    database: Database[Stored],
    start: Callable[[], "subprocess.Popen[str]"],
    *,
    drains: int,
    kills: int,
    seed: int,
    seconds: float,
) -> bool:
    """Have jobs done by drains that are killed; each is replaced by another at once.

    Args:
        database: Where jobs wait.
        start: Starts a drain that does not end by itself.
        drains: How many work at once.
        kills: How many are killed.
        seed: Which, and when.
        seconds: Longest wait for the end of all jobs, from the last kill on.

    Returns:
        Whether all jobs have ended in time.
    """
    jobs, chance = database["facefusion_jobs"], random.Random(seed)  # noqa: S311 - no secret
    running = [start() for _ in range(drains)]
    try:
        for _ in range(kills):
            _wait(seconds, lambda: jobs.find_one({"status": "processing"}) is not None)
            time.sleep(chance.uniform(*KILL_SECONDS))
            killed = running.pop(chance.randrange(len(running)))
            killed.kill()
            killed.communicate()
            running.append(start())
        ended = _wait(seconds, lambda: jobs.find_one({"status": {"$nin": ENDS}}) is None)
        for process in running:
            process.terminate()
        for process in running:
            process.communicate(timeout=END_SECONDS)
    finally:
        for process in running:
            process.kill()
            process.communicate()
    return ended


def _wait(seconds: float, fulfilled: Callable[[], bool]) -> bool:
    until = time.monotonic() + seconds
    while not fulfilled():
        if time.monotonic() > until:
            return False
        time.sleep(POLL_SECONDS)
    return True


def outcome(database: Database[Stored], hosts: Sequence[str]) -> Outcome:
    """Read what the drains left, and find what must not be."""
    jobs = [*database["facefusion_jobs"].find()]
    characters = [*database["characters"].find()]
    operations = 0
    for url in hosts:
        with FaceHostClient(url) as host:
            operations += host.status().operations
    return Outcome(
        statuses={status: sum(job["status"] == status for job in jobs) for status in ENDS},
        used_up=sum(job.get("error_code") == USED_UP for job in jobs),
        operations=operations,
        recorded=database["facefusion_operations"].count_documents({}),
        faults=(*_faults_of_jobs(jobs), *_faults_of_characters(jobs, characters)),
    )


def _faults_of_jobs(jobs: Sequence[Stored]) -> Iterator[str]:
    for job in jobs:
        name = f"{job['id']} ({job.get('job_type')}, {job['status']})"
        if job["status"] not in ENDS:
            yield f"{name} has not ended"
        elif job["status"] == "failed" and not (job["error_code"] and job["error_message"]):
            yield f"{name} does not tell why"
        elif job["status"] == "failed" and job["error_code"] not in {"child_age", USED_UP}:
            yield f"{name}: {job['error_code']}, {job['error_message']}"
        if job.get("claim_token") or job.get("lease_expires_at"):
            yield f"{name} is still claimed"


def _faults_of_characters(jobs: Sequence[Stored], characters: Sequence[Stored]) -> Iterator[str]:
    made: dict[str, list[str]] = {}
    for character in characters:
        name, entries = character["id"], character.get(HISTORY) or []
        made[name] = [entry["output_image_url"] for entry in entries if entry["success"]]
        for what, urls in (("history", made[name]), ("gallery", _urls(character.get(GALLERY)))):
            if len(set(urls)) != len(urls):
                yield f"the {what} of {name} holds a result twice"
    for job in jobs:
        url, whose = (job.get("output_data") or {}).get("output_url"), job.get("character_id")
        if url and whose and url not in made[whose]:
            yield f"the result of {job['id']} is not in the history of {whose}"


def _urls(found: object) -> list[str]:
    """Read a list of a gallery, whose entries are addresses or lists of them by age."""
    if isinstance(found, str):
        return [found]
    if isinstance(found, dict):
        return [url for value in found.values() for url in _urls(value)]
    return [url for value in found for url in _urls(value)] if isinstance(found, list) else []
