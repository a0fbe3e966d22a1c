"""One attempt at an operation: find faces, decide, have FaceFusion change the picture, check."""

import re
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import NamedTuple

from storycanvas.faces.errors import NoFace, OperationUnsupported
from storycanvas.faces.operations import (
    REFERENCE_IMAGE,
    AgeAdjustOperation,
    DetectOperation,
    FaceOperation,
    FaceSelectorMode,
    MaskOperation,
    SwapOperation,
)
from storycanvas.faces.pictures.reading import Picture
from storycanvas.host.engines.choosing import choose
from storycanvas.host.engines.engine import EngineResult
from storycanvas.host.engines.facefusion.drivers.driver import (
    Comparison,
    Deadline,
    DetectedFaces,
    Kept,
    Reference,
    WorkerDriver,
)
from storycanvas.host.engines.facefusion.drivers.worker_process import FaceDistances
from storycanvas.host.engines.facefusion.likeness import with_likeness
from storycanvas.host.engines.facefusion.pixels import (
    blend,
    fit,
    merge,
    restore,
    restore_mask,
    same_pixels,
)
from storycanvas.host.engines.facefusion.process.errors import Breakdown
from storycanvas.host.engines.facefusion.process.workspace import Workspace
from storycanvas.host.engines.facefusion.translation.ages import age_runs, direction, knows_years
from storycanvas.host.engines.facefusion.translation.operation import (
    FacesOfRun,
    Translation,
    must_change,
    translate,
)
from storycanvas.host.engines.within_boxes import kept_outside

_OWN_SIZE = re.compile(r"_(\d+)(?:_|$)")
"""The side of a swapper's own network, from its name: `inswapper_128_fp16` works at 128."""
_COMPARE_SECONDS = 30.0
"""Longest comparison: what it takes beyond that is not worth a slot."""
_LOW_MEMORY = {"--video-memory-strategy": "strict", "--execution-thread-count": "1"}


class ReducedOptions(NamedTuple):
    """A command line that needs less memory.

    Attributes:
        arguments: The command line.
        reduced: The changes, such as `face_swapper_pixel_boost 256x256 -> 128x128`.
    """

    arguments: tuple[str, ...]
    reduced: tuple[str, ...]


def low_memory_options(arguments: Sequence[str]) -> ReducedOptions:
    """Change options of `headless-run` to keep fewer models loaded and work on smaller pieces.

    Models and blends stay: others would make another picture than the one asked for.
    """
    options, values, changed = list(arguments), dict(_LOW_MEMORY), []
    boost = _own_pixel_boost(options)
    if boost is not None:
        values["--face-swapper-pixel-boost"] = boost
    for option, value in values.items():
        before = _value(options, option)
        if before == value:
            continue
        if before is None:
            options += [option, value]
        else:
            options[options.index(option) + 1] = value
        changed.append(f"{option[2:].replace('-', '_')} {before or 'default'} -> {value}")
    return ReducedOptions(tuple(options), tuple(changed))


def _own_pixel_boost(options: list[str]) -> str | None:
    model = _value(options, "--face-swapper-model")
    own = _OWN_SIZE.search(model) if model else None
    return f"{own[1]}x{own[1]}" if own and "--face-swapper-pixel-boost" in options else None


def _value(options: list[str], option: str) -> str | None:
    return options[options.index(option) + 1] if option in options else None


@dataclass(frozen=True)
class AttemptConfig:
    """What an attempt works with; every command line starts with the options."""

    driver: WorkerDriver
    options: tuple[str, ...]
    version: str
    low_memory: bool = False


@dataclass
class _ResultMetadata:
    """How the result was made, as the answer reports it."""

    used: dict[str, str | int | float] = field(default_factory=dict)
    models: dict[str, None] = field(default_factory=dict)
    reduced: dict[str, None] = field(default_factory=dict)

    def add(self, translation: Translation) -> None:
        self.used.update(translation.used)
        self.models.update(dict.fromkeys(translation.models))


class Attempt:
    """Does one operation in a workspace of its own, before a deadline."""

    def __init__(self, config: AttemptConfig, job: Workspace, deadline: Deadline) -> None:
        self._config = config
        self._job = job
        self._deadline = deadline
        self._metadata = _ResultMetadata()
        self._placed: list[tuple[Picture, Path]] = []

    def result(self, operation: FaceOperation, pictures: Sequence[Picture]) -> EngineResult:
        """Do the operation on its pictures, in the order of `operation.picture_fields`.

        Raises:
            FaceError: It cannot be done, or FaceFusion refuses it.
            Breakdown: FaceFusion broke down; a second attempt may help.
        """
        self._refuse_unsupported(operation)
        named = dict(zip(operation.picture_fields(len(pictures)), pictures, strict=True))
        target, reference = pictures[-1], named.pop(REFERENCE_IMAGE, None)
        pictures = tuple(named.values())
        if reference is not None and not self._look(operation, reference).faces:
            raise _no_face(REFERENCE_IMAGE)
        detected = self._look(operation, target, reference=reference)
        faces = detected.within(target.width, target.height)
        picture, chosen = None, self._choose(operation, target, detected, reference)
        if not isinstance(operation, DetectOperation):
            self._need_faces(operation, detected, pictures)
            detected = detected.choosing(chosen)
            picture = self._changed_picture(operation, pictures, detected)
        result = EngineResult(
            picture,
            faces,
            faces[0].estimated_age if faces else None,
            used=self._metadata.used,
            models=tuple(self._metadata.models),
            reduced=tuple(self._metadata.reduced),
            log=self._config.driver.log(),
            chosen=chosen,
        )
        compare = partial(self._compared, operation, pictures, detected)
        return with_likeness(operation, kept_outside(operation, result, target), compare)

    def _compared(
        self,
        operation: FaceOperation,
        pictures: Sequence[Picture],
        detected: DetectedFaces,
        changed: Picture,
    ) -> FaceDistances | None:
        driver = self._config.driver
        compared = Comparison(
            self._file(pictures[-1]),
            self._place_of(changed) or self._written(changed),
            self._file(pictures[0]) if isinstance(operation, SwapOperation) else None,
            tuple(face.box for face in detected.selected),
        )
        options = self._options(_detection(operation))
        deadline = Deadline(min(_COMPARE_SECONDS, self._deadline.left()))
        try:
            return driver.compare(options, compared, self._job, deadline)
        except Breakdown:
            driver.end()  # it may still be at it; the next operation starts another process
            raise

    def _choose(
        self,
        operation: FaceOperation,
        target: Picture,
        detected: DetectedFaces,
        reference: Picture | None,
    ) -> tuple[int, ...]:
        def alike(place: int) -> tuple[int, ...]:
            if place == 0:
                return detected.selected_places
            return self._look(operation, target, position=place).selected_places

        if not detected.faces:
            return ()
        like = None if reference is None else [face.matches for face in detected.faces]
        return choose(operation, detected.within(target.width, target.height), like, alike)

    def _refuse_unsupported(self, operation: FaceOperation) -> None:
        if isinstance(operation, AgeAdjustOperation) and not knows_years(self._config.version):
            raise OperationUnsupported(
                f"FaceFusion {self._config.version} has no ageing model that knows years, so a "
                "target age would be made up; install FaceFusion 3.6 or newer on this host."
            )

    def _look(
        self,
        operation: FaceOperation,
        picture: Picture,
        position: int = 0,
        reference: Picture | None = None,
    ) -> DetectedFaces:
        translation = _detection(operation, position)
        if isinstance(operation, DetectOperation):
            self._metadata.add(translation)
        shown = None
        if reference is not None:
            shown = Reference(self._file(reference), operation.reference_face_distance)
        return self._config.driver.look(
            self._options(translation), self._file(picture), self._job, self._deadline, shown
        )

    def _need_faces(
        self, operation: FaceOperation, detected: DetectedFaces, pictures: Sequence[Picture]
    ) -> None:
        if not detected.selected:
            raise _no_face(operation.pictures[-1])
        for field_name, picture in zip(operation.pictures[:-1], pictures[:-1], strict=True):
            if not self._look(operation, picture).faces:
                raise _no_face(field_name)

    def _changed_picture(
        self, operation: FaceOperation, pictures: Sequence[Picture], detected: DetectedFaces
    ) -> Picture:
        target = pictures[-1]
        if isinstance(operation, MaskOperation):
            return self._mask(operation, target, detected.kept)
        if isinstance(operation, AgeAdjustOperation):
            return self._aged(operation, target, detected)
        kept = detected.kept is not None
        translation = translate(operation, faces=FacesOfRun(kept=kept))
        changed = self._changed(pictures, translation, detected.kept)
        self._check_changed(target, changed, must=must_change(operation))
        return changed

    def _aged(
        self, operation: AgeAdjustOperation, target: Picture, detected: DetectedFaces
    ) -> Picture:
        """Age faces of different estimates in runs of their own, each on the picture as sent."""
        estimates = [face.age for face in detected.selected]
        changed, directions = [], []
        kept = detected.kept is not None
        mode = FaceSelectorMode.MANY if kept else operation.face_selector_mode
        for run in age_runs(mode, estimates):
            years = direction(operation.target_age, run.estimate)
            faces = replace(run.faces, kept=kept)
            translation = translate(operation, direction=years, faces=faces)
            aged = self._changed([target], translation, detected.kept)
            self._check_changed(target, aged, must=must_change(operation, years))
            changed.append(aged)
            directions.append(str(years))
        if len(directions) > 1:
            self._metadata.used["age_modifier_direction"] = ", ".join(directions)
        return blend(target, merge(target, changed), operation.age_adjustment_blend)

    def _changed(
        self, pictures: Sequence[Picture], translation: Translation, kept: Kept
    ) -> Picture:
        self._metadata.add(translation)
        *sources, target = map(self._file, pictures)
        output = self._config.driver.run(
            self._options(translation), target, sources, self._job, self._deadline, kept
        )
        changed = restore(output.read_bytes(), pictures[-1])
        self._placed.append((changed, output))  # to measure it without writing it once more
        return changed

    def _mask(self, operation: MaskOperation, picture: Picture, kept: Kept) -> Picture:
        translation = translate(operation)
        self._metadata.add(translation)
        mask = self._config.driver.mask(
            self._options(translation), self._file(picture), self._job, self._deadline, kept
        )
        return restore_mask(mask, picture)

    def _file(self, picture: Picture) -> Path:
        """Write a picture once, so that FaceFusion judges and searches it once."""
        found = self._place_of(picture)  # no hash is needed for one picture
        equal = (path for placed, path in self._placed if placed == picture)
        return found or next(equal, None) or self._written(picture)

    def _place_of(self, picture: Picture) -> Path | None:
        return next((path for placed, path in self._placed if placed is picture), None)

    def _written(self, picture: Picture) -> Path:
        path = self._job.picture()
        with path.open("wb") as file:
            fit(picture, file)
        self._placed.append((picture, path))
        return path

    def _options(self, translation: Translation) -> tuple[str, ...]:
        options = (*self._config.options, *translation.arguments)
        if not self._config.low_memory:
            return options
        less = low_memory_options(options)
        self._metadata.reduced.update(dict.fromkeys(less.reduced))
        return less.arguments

    def _check_changed(self, before: Picture, after: Picture, *, must: bool) -> None:
        """FaceFusion exits with 0 also where it leaves all faces as they were."""
        if must and same_pixels(before, after):
            raise NoFace(
                "FaceFusion left the faces as they were; send a picture with a face seen from the "
                "front, or choose another detector."
            )


def _detection(operation: FaceOperation, position: int = 0) -> Translation:
    """Translate what finds an operation's faces, with the reference face at a place."""
    shared = {name: getattr(operation, name) for name in FaceOperation.model_fields}
    return translate(DetectOperation(**shared), faces=FacesOfRun(reference_position=position))


def _no_face(field_name: str) -> NoFace:
    return NoFace(
        f"No face was found in {field_name}; send a picture with a face seen from the front, or "
        "choose another detector."
    )
