import pytest

from storycanvas.host.engines.facefusion.attempt import low_memory_options

TOLERANT = ("--video-memory-strategy", "tolerant", "--execution-thread-count", "8")


def _options(text: tuple[str, ...]) -> dict[str, str]:
    return dict(zip(text[::2], text[1::2], strict=True))


def test_fewer_models_stay_loaded_and_fewer_threads_work() -> None:
    less = low_memory_options(TOLERANT)
    assert _options(less.arguments) == {
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
    assert _options(low_memory_options(asked).arguments)["--face-swapper-pixel-boost"] == boost


def test_only_what_was_reduced_is_reported() -> None:
    asked = ("--face-swapper-model", "inswapper_128", "--face-swapper-pixel-boost", "256x256")
    assert low_memory_options((*asked, *TOLERANT)).reduced == (
        "video_memory_strategy tolerant -> strict",
        "execution_thread_count 8 -> 1",
        "face_swapper_pixel_boost 256x256 -> 128x128",
    )


def test_models_and_blends_stay_what_was_asked() -> None:
    asked = ("--face-enhancer-model", "gpen_bfr_2048", "--face-enhancer-blend", "80")
    less = _options(low_memory_options(asked).arguments)
    assert less["--face-enhancer-model"] == "gpen_bfr_2048"
    assert less["--face-enhancer-blend"] == "80"


def test_nothing_is_reduced_below_the_least() -> None:
    least = ("--video-memory-strategy", "strict", "--execution-thread-count", "1")
    assert low_memory_options(least).reduced == ()
