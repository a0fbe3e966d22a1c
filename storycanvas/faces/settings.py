"""Settings that a person names for one run: the strongest source of an operation's values."""

from collections.abc import Collection
from typing import Annotated, Any, Literal, Self

from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    WithJsonSchema,
    model_validator,
)

from storycanvas.faces.operations import (
    Blend,
    DetectorAngle,
    DetectorModel,
    FaceBox,
    FaceDetectorSize,
    FaceMaskType,
    FaceSelectorMode,
    FaceSelectorOrder,
    OutputFormat,
    SwapOperation,
)
from storycanvas.faces.plan import Plan, PlanPicture, Step
from storycanvas.faces.preferences import build_operation

REFERENCE = "reference"
"""Name of the reference picture in a plan."""

FACE_OF_CHARACTER = "character"
"""Value of `face_of` for the character's first reference image."""

_OF_A_FACE = {"face_position", "face_box"}
"""For the picture that is worked on; one that gives a face to it has other places of faces."""

_OF_FINISHED_PICTURES = {"output_format", "output_quality"}
"""Pictures between the steps of a plan stay PNG, which loses nothing."""

_OF_MEASURES = {"measure", "checks", "same_person_below", "least_swap_gain"}
"""For the run itself, which measures what its steps make."""


def _none_if_blank(value: object) -> object:
    blank = isinstance(value, str) and not value.strip()
    return None if blank or value in ([], ()) else value


_FOUR_NUMBERS = WithJsonSchema(
    {"type": "array", "items": {"type": "integer"}, "minItems": 4, "maxItems": 4}
)


def _setting(title: str, description: str) -> Any:  # noqa: ANN401 - as pydantic's own `Field`
    return Field(None, title=title, description=description)


def with_positions(schema: dict[str, Any]) -> None:
    """Number the fields of a group, for forms that show them by position.

    Without that the order would be that of PostgreSQL, where Prefect keeps the form: it sorts the
    names of a stored object by length.
    """
    for position, field in enumerate(schema["properties"].values()):
        field["position"] = position


class FaceSettings(BaseModel):
    """Values of operations, each for all steps of the run that have it; empty is not chosen."""

    model_config = ConfigDict(extra="forbid", frozen=True, json_schema_extra=with_positions)

    face_position: Annotated[int, Field(ge=0, le=63)] = Field(
        0,
        title="Face position",
        description="Which face is worked on, counted from 0 in the order below, 0 to 63.",
    )
    face_selector_order: FaceSelectorOrder | None = _setting(
        "Face selector order", "Order in which the faces of a picture are counted."
    )
    face_selector_mode: FaceSelectorMode | None = _setting(
        "Face selector mode", "Whether one face is worked on, many, or those like a reference."
    )
    face_box: Annotated[FaceBox | None, BeforeValidator(_none_if_blank), _FOUR_NUMBERS] = _setting(
        "Face box", "Left, top, width and height in pixels of the face that is worked on."
    )
    reference_image: Annotated[
        str | None, Field(max_length=2000), BeforeValidator(_none_if_blank)
    ] = _setting(
        "Reference image", "Address or path of a picture of the person whose face is worked on."
    )
    reference_face_distance: Annotated[float, Field(ge=0.05, le=1.0)] | None = _setting(
        "Reference face distance", "How unlike the reference a face may be, 0.05 to 1."
    )
    face_of: Annotated[str | None, Field(max_length=2000), BeforeValidator(_none_if_blank)] = (
        _setting(
            "Face of",
            "Chooses the face that is most like a person, by likeness: the word character, or the "
            "address or path of a picture.",
        )
    )
    face_enhancer_blend: Blend | None = _setting(
        "Face enhancer blend", "Share of the restored face in the result, 0 to 1."
    )
    age_adjustment_blend: Blend | None = _setting(
        "Age adjustment blend", "Share of the aged face in the result, 0 to 1."
    )
    face_mask_types: Annotated[tuple[FaceMaskType, ...] | None, BeforeValidator(_none_if_blank)] = (
        _setting("Face mask types", "What bounds the part of a face that is changed.")
    )
    face_swapper_pixel_boost: Annotated[str | None, BeforeValidator(_none_if_blank)] = _setting(
        "Face swapper pixel boost", "Size at which a swapped face is made, such as 512x512."
    )
    face_detector_model: DetectorModel | None = _setting(
        "Face detector model", "Model that finds the faces."
    )
    face_detector_size: FaceDetectorSize | None = _setting(
        "Face detector size", "Size at which a picture is searched for faces."
    )
    face_detector_angles: Annotated[
        tuple[DetectorAngle, ...] | None, BeforeValidator(_none_if_blank)
    ] = _setting("Face detector angles", "Turns at which faces are searched for, in degrees.")
    output_format: OutputFormat | None = _setting(
        "Output format", "File format of the finished pictures."
    )
    output_quality: Annotated[int, Field(ge=1, le=100)] | None = _setting(
        "Output quality", "Quality of finished pictures in jpeg or webp, 1 to 100."
    )
    measure: bool = Field(
        True,
        title="Measure",
        description="Whether faces, ages and likeness of the pictures that are made are measured.",
    )
    checks: Literal["warn", "fail"] = Field(
        "warn",
        title="Checks",
        description="Whether a picture that is found wrong is a warning or fails its step.",
    )
    same_person_below: Annotated[float, Field(ge=0.05, le=1.5)] | None = _setting(
        "Same person below",
        "Likeness distance below which two faces are one person's; empty takes the character's.",
    )
    least_swap_gain: Annotated[float, Field(ge=0.0, le=1.0)] | None = _setting(
        "Least swap gain", "By how much a swap lowers the distance to its source, 0 to 1."
    )

    @model_validator(mode="after")
    def _chooses_one_way(self) -> Self:
        if self.face_of is None:
            return self
        by_place = {"face_position": self.face_position, "face_box": self.face_box}
        others = by_place | {"reference_image": self.reference_image}
        for name, value in others.items():
            if value:
                msg = f"face_of and {name} each choose a face; leave one of them out"
                raise ValueError(msg)
        if self.face_selector_mode not in {None, FaceSelectorMode.ONE}:
            msg = (
                f"face_of chooses one face, face_selector_mode {self.face_selector_mode} may take "
                "several; take the mode one"
            )
            raise ValueError(msg)
        return self

    def named(self) -> dict[str, Any]:
        """Collect the values that a person chose for operations of any kind, by field name.

        A value that the form sends anyhow, position 0, counts as not chosen.
        """
        left_out = (
            {"reference_image", "face_of"} | _OF_A_FACE | _OF_FINISHED_PICTURES | _OF_MEASURES
        )
        return {name: value for name, value in self._chosen().items() if name not in left_out}

    def apply(self, plan: Plan, givers: Collection[str] | None = None) -> Plan:
        """Give a plan what depends on its steps: the chosen face, and the format of its results.

        Args:
            plan: The plan.
            givers: Pictures that only give their face, for which no face is chosen; None finds
                those of the plan's swaps.

        Raises:
            OutOfRange: An operation does not take a value.
        """
        origins, read = plan.origins(), {name for step in plan.steps for name in step.inputs}
        spared = face_givers(plan) if givers is None else givers
        steps = []
        for step in plan.steps:
            worked_on = origins[step.name] not in spared
            finished = step.gallery is not None or step.name not in read
            names = (_OF_A_FACE if worked_on else set()) | (
                _OF_FINISHED_PICTURES if finished else set()
            )
            changed = _with_values(step, {n: v for n, v in self._chosen().items() if n in names})
            if worked_on and self.reference_image is not None:
                inputs = (REFERENCE, *step.inputs)
                changed = changed.model_copy(update={"inputs": inputs})
            steps.append(changed)
        pictures = plan.pictures
        if self.reference_image is not None:
            pictures = (*pictures, PlanPicture(name=REFERENCE, reference=self.reference_image))
        # Checked anew: a name or a number of inputs may not fit.
        return Plan(**{**dict(plan), "pictures": pictures, "steps": tuple(steps)})

    def _chosen(self) -> dict[str, Any]:
        values = {name: getattr(self, name) for name in type(self).model_fields}
        return {
            name: value
            for name, value in values.items()
            if value is not None and (name, value) != ("face_position", 0)
        }


def face_givers(plan: Plan) -> set[str]:
    """Find the pictures of a plan that are the face of a swap, and the target of none."""
    origins = plan.origins()
    swaps = [step for step in plan.steps if isinstance(step.operation, SwapOperation)]
    faces, targets = ({origins.get(s.inputs[at], s.inputs[at]) for s in swaps} for at in (-2, -1))
    return faces - targets


def _with_values(step: Step, values: dict[str, Any]) -> Step:
    kind = type(step.operation)
    fitting = {name: value for name, value in values.items() if name in kind.model_fields}
    if not fitting:
        return step
    stated = {name: getattr(step.operation, name) for name in kind.model_fields}
    sources = step.sources | dict.fromkeys(fitting, "explicit")
    operation, sources = build_operation(kind, stated | fitting, sources)
    return step.model_copy(update={"operation": operation, "sources": sources})
