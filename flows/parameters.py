"""Parameter types that flows share, so that the same value has the same bounds in every form."""

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from textwrap import dedent
from typing import Annotated, Any, ParamSpec, TypeVar, cast, get_args

from prefect.futures import PrefectFuture
from prefect.runtime import flow_run
from prefect.task_runners import TaskRunner, ThreadPoolTaskRunner
from pydantic import AfterValidator, BeforeValidator, Field, StringConstraints, WithJsonSchema

from db.schema.documents.faces import JobType
from storycanvas.couple.placing import HusbandOn
from storycanvas.faces.chain import GalleryName
from storycanvas.faces.errors import BadField
from storycanvas.faces.operations import (
    AGE_BANDS_TEXT,
    Age,
    Blend,
    EditorValue,
    EnhancementModel,
    FaceSwapperModel,
)
from storycanvas.faces.plan import LongestSide
from storycanvas.faces.recipes.batch import BY_OPERATION, BatchGallery
from storycanvas.faces.recipes.steps import Choice, EnhancerChoice, SwapperChoice
from storycanvas.faces.settings import FaceSettings
from storycanvas.faces.written_text import (
    BATCH_TEXT,
    JOB_TEXT,
    MAPPINGS_TEXT,
    VALUES_TEXT,
    TextKind,
    read_yaml,
)
from tasks.run_names import RunName

P = ParamSpec("P")
R = TypeVar("R")


def dry_run_name() -> str:
    """Name a run after its flow and the document that it is about, and mark a dry run."""
    given = flow_run.parameters
    about = f" {given['document_id']}".rstrip() if "document_id" in given else ""
    return f"{flow_run.flow_name}{about}{' (dry run)' if given.get('dry_run') else ''}"


def unless_typed(wanted: str | Callable[[], str]) -> RunName:
    """Name a run, unless a person did; `wanted` may have the run's parameters in braces."""
    return RunName(wanted)


def naming_age_bands(function: Callable[P, R]) -> Callable[P, R]:
    """Put the bands of ages in the place of `{age_bands}` in the texts of a form."""
    function.__doc__ = (function.__doc__ or "").replace("{age_bands}", AGE_BANDS_TEXT)
    return function


Stripped = StringConstraints(strip_whitespace=True)
"""For every text of a form: Enter in a field of the Prefect UI adds a line break to the value."""

Text = Annotated[str, Stripped]
CharacterId = Annotated[str, Stripped, Field(min_length=1, max_length=200)]
Reference = Annotated[str, Stripped, Field(min_length=1, max_length=2000)]
PresetName = Annotated[str, Stripped, Field(min_length=1, max_length=200)]
UserId = Annotated[str, Stripped, Field(min_length=1, max_length=200)]
DocumentId = UserId
Description = Annotated[str, Stripped, Field(max_length=2000)]
Priority = Annotated[int, Field(ge=-100, le=100)]
Pictures = Annotated[tuple[Reference, ...], Field(max_length=200)]
Ages = Annotated[list[Age], Field(min_length=1, max_length=50)]

ServerUrls = Annotated[list[Reference], Field(max_length=100)]
FilePath = Annotated[str, Stripped, Field(min_length=1, max_length=4000)]
SearchText = Annotated[str, Stripped, Field(min_length=1, max_length=200)]


def _none_if_blank(value: object) -> object:
    return None if isinstance(value, str) and not value.strip() else value


LeftEmpty = BeforeValidator(_none_if_blank)
"""For texts that may be left empty: one Enter in such a field sends a line break."""

OptionalCharacterId = Annotated[CharacterId | None, LeftEmpty]
OptionalUserId = Annotated[UserId | None, LeftEmpty]
OptionalDescription = Annotated[Description | None, LeftEmpty]
OptionalText = Annotated[Text | None, LeftEmpty]
OptionalReference = Annotated[Reference | None, LeftEmpty]
OptionalPresetName = Annotated[PresetName | None, LeftEmpty]
OptionalFilePath = Annotated[FilePath | None, LeftEmpty]
OptionalLongestSide = LongestSide | None
OptionalSettings = FaceSettings | None
OptionalSearchText = Annotated[SearchText | None, LeftEmpty]


def _dropdown(*choices: str) -> WithJsonSchema:
    """Offer the choices in one dropdown; a union would be a row of tabs in the Prefect UI."""
    return WithJsonSchema({"type": "string", "enum": [str(choice) for choice in choices]})


Enhancer = Annotated[EnhancerChoice, _dropdown(*Choice, *EnhancementModel)]
Enhancers = Annotated[tuple[EnhancementModel, ...], Field(min_length=1, max_length=36)]
Blends = Annotated[tuple[Blend, ...], Field(min_length=1, max_length=36)]
Slider = EditorValue | None
LargestJump = Annotated[int | None, Field(ge=10, le=39)]
Swapper = Annotated[SwapperChoice, _dropdown(Choice.AS_PREFERRED, *FaceSwapperModel)]


def _written(value: object, kind: TextKind) -> object:
    """Read lines as a form sends them; a program may give the values themselves."""
    return read_yaml(value, kind) if isinstance(value, str) else value


def _named(value: object) -> object:
    """Read `name: value` lines."""
    return _written(value, VALUES_TEXT)


def _lines(value: object, kind: TextKind) -> object:
    """Read the same, and name the parameter in what is wrong with the text."""
    try:
        read = _written(value, kind)
    except BadField as error:
        raise ValueError(str(error).removesuffix(".")) from error
    if not isinstance(read, Mapping):
        raise ValueError("the text has no line of the form name: value")  # noqa: TRY004 - pydantic's
    return read


def _preset_lines(value: object) -> object:
    return _lines(value, VALUES_TEXT)


def _block(value: object) -> object:
    """Take away the indentation that all lines of a text have, and what stands around it."""
    return dedent(value).strip() if isinstance(value, str) else value


_LINES = WithJsonSchema({"type": "string", "contentMediaType": "application/yaml"})
NamedReference = Annotated[dict[str, Reference], BeforeValidator(_named), _LINES]
NamedValue = Annotated[dict[str, bool | int | float | str], BeforeValidator(_named), _LINES]
NamedParameters = Annotated[
    Annotated[dict[str, Any], BeforeValidator(_named), _LINES] | None, LeftEmpty
]
PresetParameters = Annotated[dict[str, Any], BeforeValidator(_preset_lines), _LINES]
NamedReferences = Annotated[NamedReference | None, LeftEmpty]
NamedValues = Annotated[NamedValue | None, LeftEmpty]
ChainText = Annotated[str, BeforeValidator(_block), Field(max_length=65_536)]
OptionalChain = Annotated[ChainText | None, LeftEmpty]


def _listed(value: object) -> object:
    """Read a list of operations."""
    return _written(value, BATCH_TEXT)


def _job_fields(value: object) -> object:
    """Read the fields of a job."""
    return _lines(value, JOB_TEXT)


def _moment(value: object) -> object:
    """Refuse a number written as a text, which would be read as seconds since 1970."""
    if isinstance(value, str) and not re.match(r"\s*\d{4}-\d\d-\d\d", value):
        raise ValueError("write it as in 2026-12-31 08:30")
    return value.strip() if isinstance(value, str) else value


def _in_utc(moment: datetime) -> datetime:
    return moment.replace(tzinfo=UTC) if moment.tzinfo is None else moment.astimezone(UTC)


JobInput = Annotated[dict[str, Any], BeforeValidator(_job_fields), _LINES]
Moment = Annotated[
    datetime,
    BeforeValidator(_moment),
    AfterValidator(_in_utc),
    WithJsonSchema({"type": "string", "format": "date-time"}),
]
OptionalMoment = Annotated[Moment | None, LeftEmpty]
PurgeDays = Annotated[int, Field(ge=1, le=36_500)]
Hours = Annotated[int, Field(ge=0, le=87_600)]
Operations = Annotated[list[Any], BeforeValidator(_listed), _LINES]


def _swaps(value: object) -> object:
    """Read a list of swaps."""
    return _written(value, MAPPINGS_TEXT)


def _place(value: object) -> object:
    """Read a place that is counted, as a text field sends it."""
    text = value.strip().lower() if isinstance(value, str) else value
    return int(text) if isinstance(text, str) and text.isdecimal() else text


FaceMappings = Annotated[Annotated[list[Any], BeforeValidator(_swaps), _LINES] | None, LeftEmpty]
_HUSBAND = WithJsonSchema({"type": "string", "pattern": r"^\s*(left|right|[0-9]{1,2})?\s*$"})
_HusbandOn = Annotated[HusbandOn, BeforeValidator(_place), _HUSBAND]
Husband = Annotated[_HusbandOn | None, LeftEmpty]
Folder = Annotated[str, Stripped, Field(min_length=1, max_length=4000)]
OptionalFolder = Annotated[Folder | None, LeftEmpty]
MostPictures = Annotated[tuple[Reference, ...], Field(max_length=1000)]
GalleryOfBatch = Annotated[BatchGallery, _dropdown(BY_OPERATION, *get_args(GalleryName))]
CharacterIds = Annotated[tuple[CharacterId, ...], Field(max_length=500)]
ReviewHours = Annotated[int, Field(ge=1, le=720)]
OnlyFirst = Annotated[int | None, Field(ge=1, le=1000)]
StopAfter = Annotated[int | None, Field(ge=1, le=1000)]

RunMinutes = Annotated[int, Field(ge=1, le=720)]
WaitSeconds = Annotated[int | None, Field(ge=0, le=600)]
MaxJobs = Annotated[int | None, Field(ge=1)]
AtOnce = Annotated[int | None, Field(ge=1, le=100)]
JobTypes = tuple[JobType, ...]

Tags = Annotated[
    tuple[Annotated[str, Stripped, Field(min_length=1, max_length=100)], ...], Field(max_length=100)
]
OptionalTitle = Annotated[
    Annotated[str, Stripped, Field(min_length=1, max_length=255)] | None, LeftEmpty
]
CategoryName = Annotated[
    Annotated[str, Stripped, Field(min_length=1, max_length=50)] | None, LeftEmpty
]
SourceUrl = Annotated[
    Annotated[str, Stripped, Field(min_length=1, max_length=500)] | None, LeftEmpty
]

WORKERS = cast("TaskRunner[PrefectFuture[Any]]", ThreadPoolTaskRunner(max_workers=8))
"""Threads of a run: enough to fetch, store and record while one step holds the GPU."""
