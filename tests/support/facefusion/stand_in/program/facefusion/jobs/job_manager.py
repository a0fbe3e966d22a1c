"""Job files: JOBS/{drafted,queued,completed,failed}/ID.json."""

import json
from datetime import datetime
from pathlib import Path
from typing import Any

STATUSES = ("drafted", "queued", "failed", "completed")
PLACE: dict[str, Path] = {}


def init_jobs(jobs_path: str) -> bool:
    """Set where jobs are kept, and make the folders."""
    PLACE["jobs"] = Path(jobs_path)
    for status in STATUSES:
        folder(status).mkdir(parents=True, exist_ok=True)
    return True


def suggest_job_id(job_prefix: str = "job") -> str:
    """Return a job by the second: a second job within it has the same name."""
    return f"{job_prefix}-{now():%Y-%m-%d-%H-%M-%S}"


def create_job(job_id: str) -> bool:
    """Draft a job without steps; not when its name is taken."""
    if find_job_path(job_id):
        return False
    dates = {"date_created": now().isoformat(), "date_updated": None}
    write(folder("drafted") / f"{job_id}.json", {"version": "1", **dates, "steps": []})
    return True


def add_step(job_id: str, step_args: dict[str, Any]) -> None:
    """Add a step with all its options and paths."""
    job = read_job_file(job_id)
    job["steps"].append({"args": step_args, "status": "drafted"})
    update(job_id, job)


def set_steps_status(job_id: str, status: str) -> None:
    """Mark the steps: drafted, queued, started, completed or failed."""
    job = read_job_file(job_id)
    for step in job["steps"]:
        step["status"] = status
    update(job_id, job)


def move_job_file(job_id: str, status: str) -> None:
    """Move a job to another folder."""
    path = path_of(job_id)
    path.replace(folder(status) / path.name)


def read_job_file(job_id: str) -> dict[str, Any]:
    """Read a job."""
    found: dict[str, Any] = json.loads(path_of(job_id).read_text())
    return found


def update(job_id: str, job: dict[str, Any]) -> None:
    """Write a job back where it lies."""
    write(path_of(job_id), {**job, "date_updated": now().isoformat()})


def find_job_path(job_id: str) -> Path | None:
    """Find a job in whichever folder it lies."""
    paths = (folder(status) / f"{job_id}.json" for status in STATUSES)
    return next((path for path in paths if path.is_file()), None)


def path_of(job_id: str) -> Path:
    """Find a job that must be there.

    Raises:
        FileNotFoundError: When it was taken away.
    """
    path = find_job_path(job_id)
    if path is None:
        raise FileNotFoundError(job_id)
    return path


def folder(status: str) -> Path:
    """Return the folder of a status."""
    return PLACE["jobs"] / status


def write(path: Path, job: dict[str, Any]) -> None:
    """Write a job as indented JSON."""
    path.write_text(json.dumps(job, indent=4))


def now() -> datetime:
    """Return the local time, with its zone."""
    return datetime.now().astimezone()
