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
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

MARK = "\x1e"
"""A line on standard error behind the messages that belong to an answer."""

UNFIT = 3
"""Exit code when this FaceFusion lacks what the worker calls."""

Request = dict[str, Any]
Answer = dict[str, Any]

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

    def __init__(self, versions: Any) -> None:  # noqa: ANN401 - the module `versions`
        self.version = str(self._function("metadata.get", 1)("version"))
        entry = versions.version_of(self.version)
        if entry is None:
            raise Unfit(versions.refusal(self.version))
        self._found = {path: self._function(path, count) for path, count in entry.calls.items()}
        self.find_faces = self._found[entry.find_faces]
        self.forget_faces = self._found[entry.forget_faces]
        self.set_faces = self._found[entry.set_faces]
        self._sort_arguments = entry.sort_arguments

    def __getattr__(self, name: str) -> Callable[..., Any]:
        """Return a function of the version's table by its last name."""
        return next(found for path, found in self._found.items() if path.endswith(f".{name}"))

    def in_order(self, faces: list[Any]) -> list[Any]:
        """Sort faces as FaceFusion does; since 3.7 that takes the source's faces as well."""
        sort = self._found["face_selector.sort_and_filter_faces"]
        result: list[Any] = sort([], faces) if self._sort_arguments > 1 else sort(faces)
        return result

    def distance(self, face: Any, other: Any) -> float:  # noqa: ANN401 - FaceFusion's faces
        """Measure how unlike two faces are, 0 to 1, as `face_selector.compare_faces` does."""
        return max(0.0, float(self.calculate_face_distance(face, other)) / 2)

    def load_models(self) -> None:
        """Make the sessions of all models that the state names, as a run makes them when it must.

        The parts that every processor uses are loaded first; 3.5 and 3.6 have no list of them.
        """
        for path, load in self._found.items():
            if path.endswith(".get_inference_pool"):
                load()
        for processor in self.get_processors_modules(self.get_item("processors")):
            processor.get_inference_pool()

    def session_providers(self) -> list[str]:
        """Return what each loaded model computes on, by onnxruntime's names, without repetition.

        The first provider of a session is the one that onnxruntime prefers for its nodes.
        """
        pools = getattr(self._module("inference_manager"), "INFERENCE_POOL_SET", {})
        sessions = [s for pool in pools.values() for set_ in pool.values() for s in set_.values()]
        return sorted({session.get_providers()[0] for session in sessions})

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
    def _named(module: Any, name: str) -> Callable[..., Any]:  # noqa: ANN401 - as above
        function = getattr(module, name, None)
        if callable(function):
            return function  # type: ignore[no-any-return]
        raise Unfit(f"facefusion has no {name} where the worker looks for it")


class Worker:
    """Answers requests with one FaceFusion, one at a time: its state is global."""

    def __init__(self, facefusion: FaceFusion, probe: Any, faces: Any) -> None:  # noqa: ANN401 - modules
        self._facefusion = facefusion
        self._probe = probe
        self._face_distances = faces
        self._parsers: dict[tuple[str, ...], Any] = {}
        self._checked: set[str] = set()
        self._seen: dict[str, list[Any]] = {}

    def handle(self, request: Request) -> Answer:
        """Serve a request; an exception becomes an answer, too."""
        does: dict[str, Callable[[Request], Answer]] = {
            "look": self._look,
            "mask": self._mask,
            "run": self._run,
            "probe": self._execution,
            "load": self._load,
            "compare": self._compare,
        }
        try:
            answer = does[request["do"]](request)
            return answer | {"sessions": self._facefusion.session_providers()}
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
        with self._keeping(request["keep"]):
            code = facefusion.process_headless(arguments)
        # While weights are missing the analyser was not asked, and would wait for them.
        asked = code != 0 and not facefusion.is_checking()
        return {"exit": code, "rejected": bool(asked and self._rejected())}

    def _execution(self, request: Request) -> Answer:
        probed: Answer = self._probe.probe(request["execution"])
        return {"exit": 0, "execution": probed}

    def _load(self, request: Request) -> Answer:
        self._apply(request["argv"])
        if not self._ready("\0".join(request["argv"])):
            return {"exit": 1, "failed": "a model that is needed is missing or damaged"}
        self._facefusion.load_models()
        return {"exit": 0}

    def _look(self, request: Request) -> Answer:
        selected, ordered, failed = self._see(request)
        if failed is not None:
            return failed
        reference = self._reference(request)
        matching: list[Any] = []
        if reference:
            matching = self._facefusion.find_match_faces(reference, ordered, request["distance"])
        faces = [_described(face, selected, matching) for face in ordered]
        for face, described in zip(ordered, faces, strict=True) if reference else ():
            described["reference_distance"] = self._facefusion.distance(face, reference[0])
        return {"exit": 0, "faces": faces}

    def _compare(self, request: Request) -> Answer:
        """Measure the faces of a changed picture; those of the others are known, if they are."""
        facefusion, module = self._facefusion, self._face_distances
        self._apply(request["argv"])

        source = None
        if request["reference"] is not None:
            source = module.largest(self._faces(request["reference"]))
        before = self._faces(facefusion.get_item("target_path"))
        after = facefusion.find_faces([facefusion.read_static_image(request["changed"])])
        found = module.distances(before, after, request["keep"], source, facefusion.distance)
        return {"exit": 0, "distances": found}

    def _mask(self, request: Request) -> Answer:
        selected, ordered, failed = self._see(request)
        if failed is not None:
            return failed
        if request["keep"] is not None:
            selected = _with_boxes(ordered, request["keep"])
        if selected:
            self._write_mask(selected, request["output"])
        return {"exit": 0, "faces": [_described(face, selected, []) for face in ordered]}

    @contextmanager
    def _keeping(self, boxes: list[list[float]] | None) -> Iterator[None]:
        """Let FaceFusion find the faces with these boxes only, whatever its selector is."""
        facefusion = self._facefusion
        if boxes is None:
            yield
            return
        path = facefusion.get_item("target_path")
        frame, found = facefusion.read_static_image(path), self._faces(path)
        facefusion.set_faces(frame, _with_boxes(found, boxes))
        try:
            yield
        finally:
            facefusion.set_faces(frame, found)

    def _reference(self, request: Request) -> list[Any]:
        """Find the first face of the reference picture; none without such a picture."""
        if request["reference"] is None:
            return []
        return self._facefusion.in_order(self._faces(request["reference"]))[:1]

    def _see(self, request: Request) -> tuple[list[Any], list[Any], Answer | None]:
        """Find the faces of the target, unless the content analyser refuses it."""
        facefusion = self._facefusion
        self._apply(request["argv"])
        if request["forget"]:
            facefusion.forget_faces()  # cached by pixels, blind to the detector's settings
            self._seen.clear()
            facefusion.read_static_image.cache_clear()  # type: ignore[attr-defined]
        if not self._ready("look"):
            return [], [], {"exit": 1, "failed": "a model that is needed is missing or damaged"}
        if self._rejected():
            return [], [], {"exit": 1, "rejected": True}
        path = facefusion.get_item("target_path")
        if facefusion.read_static_image(path) is None:
            return [], [], {"exit": 1, "failed": "FaceFusion cannot read the picture"}
        ordered = facefusion.in_order(self._faces(path))
        return self._selected(ordered), ordered, None

    def _faces(self, path: str) -> list[Any]:
        """Find the faces of a picture, once an operation; a run that follows finds them in memory.

        FaceFusion's own look-up takes a checksum of all pixels four times for a new picture.
        """
        found = self._seen.get(path)
        if found is None:
            frame = self._facefusion.read_static_image(path)
            found = self._seen[path] = list(self._facefusion.find_faces([frame]))
            if found:
                self._facefusion.set_faces(frame, found)
        return found

    def _ready(self, purpose: str) -> bool:
        """Check weights once a purpose: the host replaces this process when their files change."""
        facefusion = self._facefusion
        if purpose not in self._checked or facefusion.is_checking():
            self._checked.discard(purpose)
            if not (facefusion.common_pre_check() and facefusion.processors_pre_check()):
                return False
            self._checked.add(purpose)
        return True

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


def _with_boxes(faces: list[Any], boxes: list[list[float]]) -> list[Any]:
    return [face for face in faces if [float(edge) for edge in face.bounding_box] in boxes]


def _described(face: Any, selected: list[Any], matching: list[Any]) -> Answer:  # noqa: ANN401 - FaceFusion's
    ages = face.age
    return {
        "box": [float(edge) for edge in face.bounding_box],
        "score": float(face.score_set["detector"]),
        "age": sum(ages) / len(ages),  # the mean is what the model `fran` starts from
        "points": [[float(edge) for edge in point] for point in face.landmark_set["5/68"]],
        "selected": any(face is other for other in selected),
        "matches": any(face is other for other in matching),
    }


def main() -> None:
    """Greet with FaceFusion's version, then answer requests until there are no more."""
    # Beside this file, whose folder is on the path until FaceFusion's takes its place.
    probe = importlib.import_module("session_probe")
    versions = importlib.import_module("versions")
    faces = importlib.import_module("face_distances")
    probe.start_as_facefusion_does()
    wire = Wire()
    try:
        facefusion = FaceFusion(versions)
        wire.answer({"version": facefusion.version})
    except (Unfit, ImportError, AttributeError) as error:
        wire.answer({"unfit": str(error)})
        sys.exit(UNFIT)
    wire.listen()
    worker = Worker(facefusion, probe, faces)
    while True:
        wire.answer(worker.handle(wire.next()))


if __name__ == "__main__":
    main()
