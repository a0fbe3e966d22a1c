import pytest

from storycanvas.faces.errors import ContentRejected, EngineFailed, NoFace
from storycanvas.host.engines.facefusion.attempt import low_memory_options
from storycanvas.host.engines.facefusion.process.errors import Ended, OutOfMemory, trouble

STEP = "[FACEFUSION.CORE] processing step 1 of 1"
TOLERANT = ("--video-memory-strategy", "tolerant", "--execution-thread-count", "8")
COPYING = "[FACEFUSION.TO_IMAGE] copying image with a resolution of 512x512"

# From the outcomes of FaceFusion 3.8.1's contract: exit code, verdict, log, output, what it means.
OUTCOMES = {
    "done": (0, False, [STEP, COPYING], True, None),
    "analyser refuses": (1, True, [STEP], False, ContentRejected),
    "silence is not a refusal": (1, False, [], False, EngineFailed),
    "asked and not refused": (1, False, [STEP], False, EngineFailed),
    "no source face": (
        1, False, [STEP, "[FACEFUSION.CORE] no source face detected!"], False, NoFace,
    ),
    "exit 0 without an output": (0, False, [], False, EngineFailed),
    "unknown option": (2, False, ["error: unrecognized arguments: -x"], False, EngineFailed),
    "crash": (1, False, [STEP, "AttributeError: 'NoneType'"], False, EngineFailed),
    "cuda": (
        1, False, [STEP, "CUDA failure 2: out of memory ; GPU=0"], False, OutOfMemory,
    ),
    "arena": (
        1, False, ["Failed to allocate memory for requested buffer of size 1073741824"], False,
        OutOfMemory,
    ),
    "python": (1, False, [STEP, "MemoryError"], False, OutOfMemory),
    "directml": (1, False, [STEP, "E_OUTOFMEMORY: not enough memory"], False, OutOfMemory),
}  # fmt: skip


@pytest.mark.parametrize("case", OUTCOMES.values(), ids=OUTCOMES)
def test_an_outcome_depends_on_more_than_the_exit_code(
    case: tuple[int, bool, list[str], bool, type[Exception] | None],
) -> None:
    code, verdict, log, output, meaning = case
    found = trouble(Ended(code, verdict, log, output))
    assert (type(found) if found else None) is meaning


@pytest.mark.parametrize(
    "line",
    [
        "[FACEFUSION.DOWNLOAD] validating source for gfpgan_1.4 failed",
        "[FACEFUSION.DOWNLOAD] validating hash for gfpgan_1.4 failed",
        "[FACEFUSION.INFERENCE_MANAGER] loading model gfpgan_1.4 failed",
    ],
)
def test_weights_that_are_missing_or_broken_are_named_with_the_remedy(line: str) -> None:
    found = trouble(Ended(1, False, [STEP, line], has_output=False))
    assert isinstance(found, EngineFailed)
    assert "gfpgan_1.4" in str(found)
    assert "force-download" in str(found)


def test_a_failure_quotes_the_last_lines_of_the_log() -> None:
    log = [f"line {number}" for number in range(50)]
    found = str(trouble(Ended(1, False, log, has_output=False)))
    assert "line 49" in found
    assert "line 10 " not in found


def options_of(text: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(text[::2], text[1::2], strict=True))


def test_fewer_models_stay_loaded_and_fewer_threads_work() -> None:
    less = low_memory_options(TOLERANT)
    assert options_of(less.arguments) == {
        "--video-memory-strategy": "strict",
        "--execution-thread-count": "1",
    }


@pytest.mark.parametrize(
    ("model", "boost"),
    [
        ("inswapper_128", "128x128"),
        ("inswapper_128_fp16", "128x128"),
        ("hyperswap_1a_256", "256x256"),
        ("simswap_unofficial_512", "512x512"),
    ],
)
def test_a_swapper_works_at_the_size_of_its_own_network(model: str, boost: str) -> None:
    asked = ("--face-swapper-model", model, "--face-swapper-pixel-boost", "1024x1024")
    assert options_of(low_memory_options(asked).arguments)["--face-swapper-pixel-boost"] == boost


def test_only_what_was_reduced_is_reported() -> None:
    asked = ("--face-swapper-model", "inswapper_128", "--face-swapper-pixel-boost", "256x256")
    assert low_memory_options((*asked, *TOLERANT)).reduced == (
        "video_memory_strategy tolerant -> strict",
        "execution_thread_count 8 -> 1",
        "face_swapper_pixel_boost 256x256 -> 128x128",
    )


def test_models_and_blends_stay_what_was_asked() -> None:
    asked = ("--face-enhancer-model", "gpen_bfr_2048", "--face-enhancer-blend", "80")
    less = options_of(low_memory_options(asked).arguments)
    assert less["--face-enhancer-model"] == "gpen_bfr_2048"
    assert less["--face-enhancer-blend"] == "80"


def test_nothing_is_reduced_below_the_least() -> None:
    least = ("--video-memory-strategy", "strict", "--execution-thread-count", "1")
    assert low_memory_options(least).reduced == ()
