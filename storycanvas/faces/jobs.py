"""Jobs: what a document of the queue asks for, as another program wrote it (docs/jobs.md)."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace
from typing import Any

from storycanvas.faces.batch import BatchItem, read_items
from storycanvas.faces.chain import CHAIN, Chain, chain_of, read_chain, shipped_chains
from storycanvas.faces.errors import BadField, ChainInvalid
from storycanvas.faces.job_fields import (
    AGES,
    BATCH,
    SHARED,
    AgesFields,
    BatchFields,
    ChainFields,
    SharedFields,
    read_fields,
    refuse_unknown,
    wants_several_ages,
)
from storycanvas.faces.operations import KINDS
from storycanvas.faces.recipes.age_progression import age_pipeline
from storycanvas.faces.recipes.job import ChainWork, single_pipeline
from storycanvas.faces.recipes.pipeline import Pipeline
from storycanvas.faces.settings import FaceSettings
from storycanvas.faces.sources.trust import NamedBy
from storycanvas.faces.written_text import read_yaml
from storycanvas.net.wording import shown

JOB_TYPES = (*KINDS, BATCH, CHAIN)
Work = Pipeline | ChainWork | tuple[BatchItem, ...]


@dataclass(frozen=True)
class JobRequest:
    """What is to be done for a job.

    Attributes:
        job_type: One of the eight.
        work: A pipeline, a saved chain that is still to be found, or the items of a batch. All
            their pictures are named by a document.
        character_id: Whose history and gallery receive the results; None leaves both alone.
        ages: The wanted ages, where there are several.
        preset: Id or name of a preset.
        settings: Values for all steps that have them.
        longest_side: Pixels to which larger pictures are reduced first.
        contact_sheet: Whether a sheet of the results is drawn.
    """

    job_type: str
    work: Work
    character_id: str | None = None
    ages: tuple[int, ...] = ()
    preset: str | None = None
    settings: FaceSettings | None = None
    longest_side: int | None = None
    contact_sheet: bool = False


def read_job(job_type: object, input_data: object, character_id: object = None) -> JobRequest:
    """Read what a job asks for; nothing is fetched or looked up.

    Args:
        job_type: One of `JOB_TYPES`; None is a batch.
        input_data: Fields of the type, beside those that every job may have.
        character_id: Of the document.

    Raises:
        FaceError: A field is unknown, missing, not of its form or out of range; names the field.
    """
    kind = BATCH if job_type is None else job_type
    if type(kind) is not str or kind not in JOB_TYPES:  # code in BSON is a text without a hash
        raise BadField(f"job_type: {shown(kind)} is none of {', '.join(JOB_TYPES)}.")
    if not isinstance(input_data, Mapping):
        raise BadField(f"input_data: {shown(input_data)} is no object with the fields of the job.")
    shared = {n: v for n, v in input_data.items() if n in SHARED and v is not None}
    own = {n: v for n, v in input_data.items() if n not in SHARED}
    common = read_fields(SharedFields, {**shared, "character_id": character_id})
    refuse_unknown(kind, own)
    request = JobRequest(kind, work=_work(kind, own), **dict(common))
    if wants_several_ages(kind, own):
        written = read_fields(AgesFields, own)
        settings = _with_blend(common.settings, written.age_adjustment_blend)
        request = replace(request, ages=tuple(written.ages), settings=settings)
    _require_pictures(request)
    return request


def job_label(job_id: str, job_type: str | None, subject: str | None) -> str:
    """Name a job as logs and tasks call it: `job 3f9a · swap · Mara`.

    Args:
        job_id: Of its document.
        job_type: Of its document; None is a batch.
        subject: Name or id of its character.
    """
    whose = " ".join((subject or "").split())[:_MAX_SUBJECT]
    return " · ".join(filter(None, (f"job {job_id[:4]}", job_type or BATCH, whose)))


_MAX_SUBJECT = 40


def _work(kind: str, own: Mapping[str, Any]) -> Work:
    if kind == BATCH:
        return read_items(read_fields(BatchFields, own).operations)
    if kind == CHAIN:
        return _chain(read_fields(ChainFields, own))
    if wants_several_ages(kind, own):
        return _ages(read_fields(AgesFields, own))
    fields = {name: value for name, value in own.items() if name != AGES}
    (item,) = read_items([{"operation_type": kind, **fields}])
    return single_pipeline(item)


def _ages(written: AgesFields) -> Pipeline:
    pipeline = age_pipeline(
        ages=written.ages,
        base_image=written.image_url,
        base_age=written.base_age,
        enhance=written.enhance,
        enhance_base=written.enhance_base,
        intermediates=written.intermediates,
        largest_jump=written.largest_jump,
        allow_child_ages=False,
    )
    return replace(pipeline, named_by=NamedBy.DOCUMENT)


def _with_blend(settings: FaceSettings | None, blend: float | None) -> FaceSettings | None:
    """Make the blend of several ages one of the settings."""
    if blend is None:
        return settings
    named = settings or FaceSettings()
    if named.age_adjustment_blend is not None:
        raise BadField(
            "age_adjustment_blend and settings.age_adjustment_blend name one value; leave one of "
            "them out."
        )
    return named.model_copy(update={"age_adjustment_blend": blend})


def _chain(written: ChainFields) -> Pipeline | ChainWork:
    if (written.chain is None) == (written.steps is None):
        shipped = ", ".join(shipped_chains())
        raise BadField(
            f"Name a chain ({shipped}, or a saved one) or write its steps; one of the two."
        )
    pictures, values = written.pictures or {}, written.values or {}
    found = _steps(written.steps, pictures) if written.chain is None else _named(written.chain)
    if isinstance(found, Chain):
        return ChainWork(found.name, pictures, values).pipeline(found)
    return ChainWork(found, pictures, values)


def _steps(written: object, pictures: Collection[str]) -> Chain:
    """Read a chain from its steps alone, which may use the job's pictures, or as a whole."""
    read = read_yaml(written) if isinstance(written, str) else written
    if not isinstance(read, list):
        return chain_of(read)
    named = {"pictures": [*pictures]} if pictures else {}
    return chain_of({"steps": read, **named})


def _named(written: str | Mapping[str, Any]) -> Chain | str:
    """Read a chain from text or parts, or find the one of a name; else give the name."""
    if not isinstance(written, str):
        return chain_of(written)
    name = written.strip()
    if "\n" in name or name.startswith("{"):
        return read_chain(written)
    if not 0 < len(name) <= _MAX_CHAIN_NAME:
        raise ChainInvalid(f"chain: {shown(name)} is neither the name nor the text of a chain.")
    return shipped_chains().get(name, name)


_MAX_CHAIN_NAME = 200


def _require_pictures(request: JobRequest) -> None:
    if not isinstance(request.work, Pipeline) or request.character_id is not None:
        return
    missing = [name for name, reference in request.work.pictures.items() if reference is None]
    if missing:
        raise BadField(
            f"The job does not name the picture '{missing[0]}', and it has no character whose "
            "reference image could be taken instead."
        )
