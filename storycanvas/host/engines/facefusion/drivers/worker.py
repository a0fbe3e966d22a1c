"""The program that runs in FaceFusion's own Python and serves one request after another.

`worker_process.py` starts it as a script, in the checkout's folder, with FaceFusion's environment;
so it uses the standard library and FaceFusion only, and imports nothing of the host. A request is
one line of JSON on standard input, its answer one line on standard output; FaceFusion's messages
go to standard error. At the end of standard input it ends at once: the host is gone. What it
relies on in FaceFusion is described in docs/facefusion.md.
"""

import importlib
import importlib.util
import inspect
import json
import os
import queue
import sys
import threading
import traceback
from collections.abc import Callable
from typing import Any

MARK = "\x1e"
"""A line on standard error behind the messages that belong to an answer."""

UNFIT = 3
"""Exit code when this FaceFusion lacks what the worker calls."""

Request = dict[str, Any]
Answer = dict[str, Any]

# The functions that the worker calls, and with how many arguments (3.5.4 to 3.8.1).
_FUNCTIONS = {
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
    "content_analyser.analyse_image": 1,
    "vision.read_static_image": 1,
    "face_selector.find_match_faces": 3,
    "face_masker.create_box_mask": 3,
    "face_masker.create_occlusion_mask": 1,
    "face_masker.create_area_mask": 3,
    "face_masker.create_region_mask": 2,
    "face_helper.warp_face_by_face_landmark_5": 4,
}
# Size and threshold of FaceFusion's own face debugger (processors/modules/face_debugger).
_MASK_SIZE = (512, 512)
_MASK_THRESHOLD = 100
_MAX_PARSERS = 16


class Unfit(Exception):
    """This FaceFusion lacks something that the worker calls."""


class Wire:
    """Requests in and answers out, apart from what FaceFusion reads and prints."""

    def __init__(self) -> None:
        # FaceFusion's own children must not read requests, and its prints must not be answers.
        self._requests = os.fdopen(os.dup(0), encoding="utf-8")
        self._answers = os.fdopen(os.dup(1), "w", encoding="utf-8")
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
        os.dup2(2, 1)
        self._queue: queue.Queue[str] = queue.Queue()

    def listen(self) -> None:
        """Read requests during work, so that the end of the input ends the process at once."""
        threading.Thread(target=self._read, daemon=True).start()

    def next(self) -> Request:
        """Wait for the next request."""
        request: Request = json.loads(self._queue.get())
        return request

    def answer(self, answer: Answer) -> None:
        """Send an answer, and a mark behind all that was logged before it."""
        sys.stderr.write(f"{MARK}\n")
        sys.stderr.flush()
        self._answers.write(json.dumps(answer) + "\n")
        self._answers.flush()

    def _read(self) -> None:
        for line in self._requests:
            self._queue.put(line)
        os._exit(0)


class FaceFusion:
    """The functions of the checkout in the current folder."""

    def __init__(self) -> None:
        self._found = {path: self._function(path, count) for path, count in _FUNCTIONS.items()}
        # Both cache the faces for the run that follows; 3.5 and 3.6 have the second only.
        creator, analyser = self._module("face_creator"), self._module("face_analyser")
        self.find_faces = (
            self._named(creator, "get_static_faces")
            if creator
            else self._named(analyser, "get_many_faces")
        )
        store = self._module("face_store")
        self.forget_faces = self._named(store, "clear_faces", "clear_static_faces")
        self._sort = self._named(self._module("face_selector"), "sort_and_filter_faces")

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a function of `_FUNCTIONS` by its last name."""
        return next(found for path, found in self._found.items() if path.endswith(f".{name}"))

    def in_order(self, faces: list[Any]) -> list[Any]:
        """Sort faces as FaceFusion does; since 3.7 that takes the source's faces as well."""
        wanted = len(inspect.signature(self._sort).parameters)
        result: list[Any] = self._sort([], faces) if wanted > 1 else self._sort(faces)
        return result

    def _function(self, path: str, count: int) -> Callable[..., Any]:
        module, _, name = path.rpartition(".")
        function = self._named(self._module(module), name)
        try:
            inspect.signature(function).bind(*range(count))
        except TypeError as error:
            raise Unfit(f"facefusion.{path} takes other arguments ({error})") from error
        return function

    @staticmethod
    def _module(name: str) -> Any:  # noqa: ANN401 - FaceFusion's modules have no types here
        try:
            return importlib.import_module(f"facefusion.{name}")
        except ModuleNotFoundError as error:
            if error.name != f"facefusion.{name}":
                raise Unfit(f"facefusion.{name} needs {error.name}, which is missing") from error
            return None

    @staticmethod
    def _named(module: Any, *names: str) -> Callable[..., Any]:  # noqa: ANN401 - as above
        for name in names:
            function = getattr(module, name, None)
            if callable(function):
                return function  # type: ignore[no-any-return]
        raise Unfit(f"facefusion has no {' or '.join(names)} where the worker looks for it")


class Worker:
    """Answers requests with one FaceFusion, one at a time: its state is global."""

    def __init__(self, facefusion: FaceFusion) -> None:
        self._facefusion = facefusion
        self._parsers: dict[tuple[str, ...], Any] = {}
        self._checked = False

    def handle(self, request: Request) -> Answer:
        """Serve a request; an exception becomes an answer, too."""
        does: dict[str, Callable[[Request], Answer]] = {
            "look": self._look,
            "mask": self._mask,
            "run": self._run,
        }
        try:
            return does[request["do"]](request)
        except SystemExit as error:
            return {"exit": error.code if isinstance(error.code, int) else 1}
        except Exception as error:  # noqa: BLE001 - the next request needs a worker
            traceback.print_exc()
            return {"exit": 1, "failed": f"{type(error).__name__}: {error}"}

    def _run(self, request: Request) -> Answer:
        arguments = self._apply(request["argv"])
        facefusion = self._facefusion
        if not facefusion.init_jobs(facefusion.get_item("jobs_path")):
            return {"exit": 1, "failed": "the folder for jobs cannot be made"}
        code = facefusion.process_headless(arguments)
        # While weights are missing the analyser was not asked, and would wait for them.
        asked = code != 0 and not facefusion.is_checking()
        return {"exit": code, "rejected": bool(asked and self._rejected())}

    def _look(self, request: Request) -> Answer:
        selected, ordered, failed = self._see(request)
        if failed is not None:
            return failed
        return {"exit": 0, "faces": [_described(face, selected) for face in ordered]}

    def _mask(self, request: Request) -> Answer:
        selected, ordered, failed = self._see(request)
        if failed is not None:
            return failed
        if selected:
            self._write_mask(selected, request["output"])
        return {"exit": 0, "faces": [_described(face, selected) for face in ordered]}

    def _see(self, request: Request) -> tuple[list[Any], list[Any], Answer | None]:
        """Find the faces of the target, unless the content analyser refuses it."""
        facefusion = self._facefusion
        self._apply(request["argv"])
        if request["forget"]:
            facefusion.forget_faces()  # cached by pixels, blind to the detector's settings
            facefusion.read_static_image.cache_clear()  # type: ignore[attr-defined]
        if not self._ready():
            return [], [], {"exit": 1, "failed": "a model that is needed is missing or damaged"}
        if self._rejected():
            return [], [], {"exit": 1, "rejected": True}
        frame = facefusion.read_static_image(facefusion.get_item("target_path"))
        if frame is None:
            return [], [], {"exit": 1, "failed": "FaceFusion cannot read the picture"}
        ordered = facefusion.in_order(facefusion.find_faces([frame]))
        return self._selected(ordered), ordered, None

    def _ready(self) -> bool:
        """Check the weights once: the host replaces this process when their files change."""
        facefusion = self._facefusion
        if not self._checked or facefusion.is_checking():
            self._checked = facefusion.common_pre_check() and facefusion.processors_pre_check()
        return self._checked

    def _rejected(self) -> bool:
        facefusion = self._facefusion
        return bool(facefusion.analyse_image(facefusion.get_item("target_path")))

    def _selected(self, ordered: list[Any]) -> list[Any]:
        facefusion = self._facefusion
        mode = facefusion.get_item("face_selector_mode")
        if mode == "many" or not ordered:
            return ordered
        if mode == "one":
            return ordered[:1]
        position = min(facefusion.get_item("reference_face_position"), len(ordered) - 1)
        distance = facefusion.get_item("reference_face_distance")
        matches: list[Any] = facefusion.find_match_faces([ordered[position]], ordered, distance)
        return matches

    def _write_mask(self, selected: list[Any], output: str) -> None:
        cv2, numpy = importlib.import_module("cv2"), importlib.import_module("numpy")
        facefusion = self._facefusion
        frame = facefusion.read_static_image(facefusion.get_item("target_path"))
        whole = numpy.zeros(frame.shape[:2], numpy.uint8)
        for face in selected:
            crop, matrix = facefusion.warp_face_by_face_landmark_5(
                frame, face.landmark_set["5/68"], "arcface_128", _MASK_SIZE
            )
            masks = self._crop_masks(face, crop, matrix)
            mask = (numpy.minimum.reduce(masks).clip(0, 1) * 255).astype(numpy.uint8)
            back = cv2.warpAffine(mask, cv2.invertAffineTransform(matrix), whole.shape[::-1])
            whole[back > _MASK_THRESHOLD] = 255
        cv2.imwrite(output, whole)

    def _crop_masks(self, face: Any, crop: Any, matrix: Any) -> list[Any]:  # noqa: ANN401 - FaceFusion's
        """Make the masks of the chosen types, as FaceFusion's own face debugger shows them."""
        facefusion, get = self._facefusion, self._facefusion.get_item
        types, masks = get("face_mask_types"), []
        if "box" in types:
            masks.append(facefusion.create_box_mask(crop, 0, get("face_mask_padding")))
        if "occlusion" in types:
            masks.append(facefusion.create_occlusion_mask(crop))
        if "area" in types:
            cv2 = importlib.import_module("cv2")
            points = cv2.transform(face.landmark_set["68"].reshape(1, -1, 2), matrix)
            points = points.reshape(-1, 2)
            masks.append(facefusion.create_area_mask(crop, points, get("face_mask_areas")))
        if "region" in types:
            masks.append(facefusion.create_region_mask(crop, get("face_mask_regions")))
        return masks

    def _apply(self, argv: list[str]) -> dict[str, Any]:
        """Parse a command line with FaceFusion's own parser and make it FaceFusion's state."""
        facefusion = self._facefusion
        sys.argv = ["facefusion.py", *argv]
        parser = self._parser(argv)
        arguments: dict[str, Any] = vars(parser.parse_args(argv))
        facefusion.apply_args(arguments, facefusion.init_item)
        facefusion.init(facefusion.get_item("log_level"))
        return arguments

    def _parser(self, argv: list[str]) -> Any:  # noqa: ANN401 - FaceFusion's
        """Keep a parser for each set of models: building one takes 0.5 s and depends on them."""
        options = ("--config-path", "--face-detector-model", "--face-swapper-model")
        key = tuple(_value(argv, option) for option in options)
        if key not in self._parsers:
            if len(self._parsers) >= _MAX_PARSERS:
                self._parsers.clear()
            parser = self._facefusion.create_program()
            if not self._facefusion.validate_args(parser):
                raise SystemExit(2)
            self._parsers[key] = parser
        return self._parsers[key]


def _value(argv: list[str], option: str) -> str:
    return argv[argv.index(option) + 1] if option in argv else ""


def _described(face: Any, selected: list[Any]) -> Answer:  # noqa: ANN401 - FaceFusion's
    ages = face.age
    return {
        "box": [float(edge) for edge in face.bounding_box],
        "score": float(face.score_set["detector"]),
        "age": sum(ages) / len(ages),  # the mean is what the model `fran` starts from
        "selected": any(face is other for other in selected),
    }


def _start_as_facefusion_does() -> None:
    """Do what its own `facefusion.py` does before anything else is imported."""
    sys.path[0] = os.getcwd()  # in place of the folder of this file  # noqa: PTH109
    os.environ["OMP_NUM_THREADS"] = "1"
    if importlib.util.find_spec("facefusion.conda"):
        # In a Conda environment this starts the program anew, with the libraries it needs.
        importlib.import_module("facefusion.conda").setup()


def main() -> None:
    """Greet with FaceFusion's version, then answer requests until there are no more."""
    _start_as_facefusion_does()
    wire = Wire()
    try:
        facefusion = FaceFusion()
        wire.answer({"version": facefusion.get("version")})
    except (Unfit, ImportError, AttributeError) as error:
        wire.answer({"unfit": str(error)})
        sys.exit(UNFIT)
    wire.listen()
    worker = Worker(facefusion)
    while True:
        wire.answer(worker.handle(wire.next()))


if __name__ == "__main__":
    main()
