"""FaceFusion's versions: what the worker calls in each, which options each has, what is refused.

A version that is not in `VERSIONS` is refused by name: names moved between releases, and one that
is guessed can do something else. `run`, for example, is the command without a window in FaceFusion
4 and opens a browser in 3.x. The tests compare the table with contracts that were read from the
releases (`tests/support/facefusion/contracts_by_version.json`). The file also runs in FaceFusion's
Python, beside `worker.py`, so it imports nothing but the standard library.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType

COMMAND = "headless-run"
"""The command that works without a window, in 3.5 to 3.8."""

CALLS: Mapping[str, int] = MappingProxyType(
    {
        "program.create_program": 0,
        "program_helper.validate_args": 1,
        "args.apply_args": 2,
        "state_manager.init_item": 2,
        "state_manager.get_item": 1,
        "logger.init": 1,
        "metadata.get": 1,
        "jobs.job_manager.init_jobs": 1,
        "core.process_headless": 1,
        "core.common_pre_check": 0,
        "core.processors_pre_check": 0,
        "process_manager.is_checking": 0,
        "processors.core.get_processors_modules": 1,
        "content_analyser.analyse_image": 1,
        "content_analyser.get_inference_pool": 0,
        "face_classifier.get_inference_pool": 0,
        "face_detector.get_inference_pool": 0,
        "face_landmarker.get_inference_pool": 0,
        "face_masker.get_inference_pool": 0,
        "face_recognizer.get_inference_pool": 0,
        "vision.read_static_image": 1,
        "face_selector.calculate_face_distance": 2,
        "face_selector.find_match_faces": 3,
        "face_masker.create_box_mask": 3,
        "face_masker.create_occlusion_mask": 1,
        "face_masker.create_area_mask": 3,
        "face_masker.create_region_mask": 2,
        "face_helper.warp_face_by_face_landmark_5": 4,
    }
)
"""Functions that the worker calls in every version, with the number of arguments."""


@dataclass(frozen=True)
class Version:
    """What is particular to the releases of one minor version.

    Attributes:
        find_faces: Finds faces; in 3.5 and 3.6 it caches them, too.
        forget_faces: Empties the cache in which a run looks for them.
        set_faces: Puts the faces of a picture into that cache.
        sort_arguments: Of `face_selector.sort_and_filter_faces`; since 3.7 with the source's faces.
        also_needed: Weights that every run checks beside those of `ALWAYS_NEEDED`.
        lacks: Options of 3.8 that it does not have; the translation writes none of them.
        older_names: Its options that 3.8 calls otherwise or has no more.
    """

    find_faces: str = "face_creator.get_many_faces"
    forget_faces: str = "face_store.clear_faces"
    set_faces: str = "face_store.set_faces"
    sort_arguments: int = 2
    also_needed: tuple[str, ...] = ()
    lacks: frozenset[str] = frozenset()
    older_names: frozenset[str] = frozenset()

    @property
    def calls(self) -> Mapping[str, int]:
        """All functions that the worker calls in it."""
        own = {self.find_faces: 1, self.forget_faces: 0, self.set_faces: 2}
        return {**CALLS, **own, "face_selector.sort_and_filter_faces": self.sort_arguments}


_NEW_IN_3_8 = frozenset({"--temp-pixel-format", "--workflow-mode", "--workflow-strategy"})
_NEW_IN_3_7 = frozenset({"--face-tracker-score", "--target-frame-amount"})
_NEW_IN_3_6 = frozenset({"--background-remover-despill-color", "--background-remover-fill-color"})
_VOICE = ("kim_vocal_2",)
VERSIONS: Mapping[str, Version] = MappingProxyType(
    {
        "3.5": Version(
            find_faces="face_analyser.get_many_faces",
            forget_faces="face_store.clear_static_faces",
            set_faces="face_store.set_static_faces",
            sort_arguments=1,
            also_needed=_VOICE,
            lacks=_NEW_IN_3_8 | _NEW_IN_3_7 | _NEW_IN_3_6,
            older_names=frozenset(
                {"--keep-temp", "--system-memory-limit", "--background-remover-color"}
            ),
        ),
        "3.6": Version(
            find_faces="face_analyser.get_many_faces",
            forget_faces="face_store.clear_static_faces",
            set_faces="face_store.set_static_faces",
            sort_arguments=1,
            also_needed=_VOICE,
            lacks=_NEW_IN_3_8 | _NEW_IN_3_7,
            older_names=frozenset({"--keep-temp", "--system-memory-limit"}),
        ),
        "3.7": Version(lacks=_NEW_IN_3_8, older_names=frozenset({"--keep-temp"})),
        "3.8": Version(),
    }
)

_COMING = MappingProxyType(
    {
        "3.9": "it is not released, and what it renames is not known",
        "4": (
            "it renames headless-run to run, face_landmarker to face_aligner and args to another "
            "module, and has no web interface; on 3.x run opens a browser"
        ),
    }
)


def version_of(text: str) -> Version | None:
    """Return the entry of a version such as `3.8.1`; None for one that is not in the table."""
    found = re.fullmatch(r"(\d+\.\d+)(\.\d+)?", text)
    return VERSIONS.get(found[1]) if found else None


def refusal(text: str) -> str:
    """Explain by name why a version is not driven, with the ones that are."""
    number = text.removeprefix("v")  # the branch of FaceFusion 4 calls itself `v4`
    known = [why for name, why in _COMING.items() if f"{number}.".startswith(f"{name}.")]
    reason = f" ({known[0]})" if known else ""
    return (
        f"FaceFusion {text} is not supported{reason}: check out one of {', '.join(VERSIONS)}, and "
        "install its requirements."
    )
