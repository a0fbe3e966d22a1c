"""Pictures go to FaceFusion and come back without loss."""

import io

import numpy as np
import pytest
from PIL import Image, ImageCms

from storycanvas.faces.errors import EngineFailed
from storycanvas.faces.pictures.reading import Picture, normal_form
from storycanvas.host.engines.facefusion.pixels import (
    blend,
    fit,
    fitted_size,
    merge,
    restore,
    restore_mask,
    same_pixels,
)
from tests.support.facefusion.made_pictures import encoded, opened

PROFILE = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SIZES = [(1, 1), (63, 65), (64, 64), (513, 511), (300, 601), (2, 400)]
MODES = pytest.mark.parametrize("mode", ["RGB", "RGBA"])


def picture(width: int, height: int, mode: str = "RGB", seed: int = 0) -> Picture:
    shape = (height, width, len(mode))
    pixels = np.random.default_rng(seed).integers(0, 256, shape, dtype=np.uint8)
    return normal_form(Image.fromarray(pixels))


def plain(colour: tuple[int, ...], size: tuple[int, int] = (70, 300)) -> Picture:
    return normal_form(Image.new("RGB" if len(colour) == 3 else "RGBA", size, colour))


def with_profile(before: Picture) -> Picture:
    image = opened(before.png)
    image.info["icc_profile"] = PROFILE
    return normal_form(image)


def fitted(before: Picture) -> bytes:
    """What FaceFusion gets."""
    file = io.BytesIO()
    fit(before, file)
    return file.getvalue()


@MODES
@pytest.mark.parametrize("size", SIZES, ids=str)
def test_a_picture_comes_back_as_it_went(size: tuple[int, int], mode: str) -> None:
    before = with_profile(picture(*size, mode))

    assert restore(fitted(before), before) == before


@pytest.mark.parametrize("size", SIZES, ids=str)
def test_facefusion_gets_even_sides_of_64_or_more(size: tuple[int, int]) -> None:
    image = opened(fitted(picture(*size)))

    assert image.size == fitted_size(*size)
    assert all(
        side % 2 == 0 and side >= max(64, had) for side, had in zip(image.size, size, strict=True)
    )


def test_the_edge_is_repeated() -> None:
    pixels = np.asarray(opened(fitted(picture(65, 67))))

    assert (pixels[:, 65] == pixels[:, 64]).all()
    assert (pixels[67] == pixels[66]).all()


def test_facefusion_gets_no_profile() -> None:
    assert "icc_profile" not in opened(fitted(with_profile(picture(64, 64)))).info


def test_alpha_stays_as_it_was_sent() -> None:
    before = picture(64, 64, "RGBA")

    after = opened(restore(encoded(Image.new("RGB", (64, 64), "red")), before).png)

    assert after.getchannel("A").tobytes() == opened(before.png).getchannel("A").tobytes()
    assert after.convert("RGB").getpixel((9, 9)) == (255, 0, 0)


def test_an_opaque_alpha_that_was_not_sent_goes() -> None:
    before = picture(64, 64)

    assert restore(encoded(opened(before.png).convert("RGBA")), before) == before


@pytest.mark.parametrize(
    "output",
    [
        encoded(Image.new("RGB", (64, 66))),
        encoded(Image.new("L", (64, 64))),
        encoded(Image.new("RGBA", (64, 64), (1, 2, 3, 128))),
        b"no picture",
        b"",
    ],
    ids=["size", "mode", "transparent", "bytes", "empty"],
)
def test_an_output_that_does_not_fit_is_refused(output: bytes) -> None:
    with pytest.raises(EngineFailed):
        restore(output, picture(64, 64))


@pytest.mark.parametrize("mode", ["L", "RGB"])
def test_a_mask_is_cut_to_size_and_has_no_alpha(mode: str) -> None:
    mask = encoded(Image.new(mode, (64, 66), "white"))

    cut = opened(restore_mask(mask, with_profile(picture(63, 65, "RGBA"))).png)

    assert (cut.size, cut.mode, cut.getextrema()) == ((63, 65), "RGB", ((255, 255),) * 3)
    assert "icc_profile" not in cut.info


@pytest.mark.parametrize(("amount", "which"), [(0, 0), (1, 1), (0.0, 0), (1.0, 1)])
def test_a_blend_is_exact_at_its_ends(amount: float, which: int) -> None:
    pair = (picture(70, 300, seed=1), picture(70, 300, seed=2))

    assert blend(*pair, amount) is pair[which]


@pytest.mark.parametrize(("amount", "level"), [(0.25, 75), (0.5, 100), (0.7, 120), (0.999, 150)])
def test_a_blend_is_linear(amount: float, level: int) -> None:
    mixed = blend(plain((50, 150, 50)), plain((150, 50, 50)), amount)

    assert opened(mixed.png).getcolors() == [(70 * 300, (level, 200 - level, 50))]


@pytest.mark.parametrize("amount", [-0.1, 1.1, float("nan")])
def test_a_blend_out_of_range_is_refused(amount: float) -> None:
    with pytest.raises(ValueError, match="0 to 1"):
        blend(plain((0, 0, 0)), plain((1, 1, 1)), amount)


@pytest.mark.parametrize("amount", [0, 0.5, 1])
def test_pictures_of_two_sizes_are_not_mixed(amount: float) -> None:
    with pytest.raises(EngineFailed, match="64 x 64"):
        blend(picture(64, 64), picture(64, 66), amount)


@MODES
def test_what_each_run_changed_is_merged(mode: str) -> None:
    original = with_profile(plain((9, 9, 9, 255)[: len(mode)]))
    first, second = opened(original.png), opened(original.png)
    first.paste((255, 0, 0, 255)[: len(mode)], (10, 10, 30, 290))
    second.paste((0, 255, 0, 255)[: len(mode)], (20, 200, 40, 299))

    merged = merge(original, [normal_form(first), normal_form(second)])

    image = opened(merged.png).convert("RGB")
    assert image.getpixel((10, 289)) == (255, 0, 0)
    assert image.getpixel((25, 250)) == (0, 255, 0)
    assert image.getpixel((39, 298)) == (0, 255, 0)
    assert image.getpixel((0, 0)) == (9, 9, 9)
    assert opened(merged.png).info["icc_profile"] == PROFILE


def test_merging_nothing_leaves_the_original() -> None:
    original = picture(64, 64)

    assert merge(original, []) is original


def test_a_run_of_another_size_is_not_merged() -> None:
    with pytest.raises(EngineFailed, match="66"):
        merge(picture(64, 64), [picture(64, 66)])


def test_the_same_pixels_are_known_whatever_the_profile() -> None:
    assert same_pixels(picture(70, 300), with_profile(picture(70, 300)))


@pytest.mark.parametrize(
    "other",
    [picture(70, 302), picture(70, 300, "RGBA"), picture(70, 300, seed=1)],
    ids=["size", "mode", "pixels"],
)
def test_other_pixels_are_known(other: Picture) -> None:
    assert not same_pixels(picture(70, 300), other)


def test_one_other_pixel_in_the_last_row_is_seen() -> None:
    before = picture(70, 300)
    image = opened(before.png)
    image.putpixel((69, 299), (0, 0, 0))

    assert not same_pixels(before, normal_form(image))
