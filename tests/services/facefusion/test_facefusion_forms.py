"""Pictures of every form come back in the form they had."""

import os

import numpy as np
import pytest
from PIL import Image, ImageCms

from storycanvas.faces.operations import DetectOperation, EnhanceOperation, MaskOperation
from tests.support.facefusion.checkouts import HOME_VARIABLE
from tests.support.facefusion.driven_host import DrivenHost
from tests.support.facefusion.made_pictures import (
    GREY,
    around,
    brighter,
    changed_box,
    encoded,
    opened,
    plain,
)
from tests.support.icc import grey_profile

SRGB = ImageCms.ImageCmsProfile(ImageCms.createProfile("sRGB")).tobytes()
SKY = (60, 60, 250)
HUGE = (5000, 5000)


def seen_through(size: tuple[int, int]) -> Image.Image:
    """A grey picture whose transparency grows from left to right."""
    image = Image.new("RGB", size, GREY)
    ramp = np.tile(np.linspace(255, 0, size[0]).astype(np.uint8), (size[1], 1))
    image.putalpha(Image.fromarray(ramp))
    return image


def grey(mode: str, level: int) -> Image.Image:
    return Image.new("L", (256, 256), level).convert(mode)


def grey_16_bit() -> Image.Image:
    return Image.fromarray(np.full((256, 256), 120 * 257, np.uint16))


FORMS = {
    "grey": encoded(grey("L", 120)),
    "grey 16 bit": encoded(grey_16_bit()),
    "grey with alpha": encoded(grey("LA", 120)),
    "palette": encoded(grey("P", 120)),
    "CMYK": encoded(grey("CMYK", 120), "JPEG", quality=100),
    "JPEG": encoded(grey("RGB", 120), "JPEG", quality=100),
    "WebP": encoded(grey("RGB", 120), "WEBP", lossless=True),
    "AVIF": encoded(grey("RGB", 120), "AVIF", quality=95),
    "HEIC": encoded(grey("RGB", 120), "HEIF", quality=95),
    "grey by profile": encoded(grey("L", 120), icc_profile=grey_profile(2.2)),
    "RGBA": encoded(grey("RGBA", 120)),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_is_worked_on_like_the_plain_one(resident_host: DrivenHost, form: str) -> None:
    made = resident_host.done(EnhanceOperation(), FORMS[form]).picture
    assert made.size == (256, 256)
    assert around(made)[0] == pytest.approx(120 + 0.30 * 127.5, abs=3)
    assert made.mode == ("RGBA" if "A" in opened(FORMS[form]).getbands() else "RGB")


def test_odd_size_alpha_and_profile_are_kept(resident_host: DrivenHost) -> None:
    before = seen_through((513, 511))
    after = resident_host.done(EnhanceOperation(), encoded(before, icc_profile=SRGB)).picture
    assert (after.size, after.mode) == ((513, 511), "RGBA")
    assert np.array_equal(np.asarray(after)[..., 3], np.asarray(before)[..., 3])
    assert after.info["icc_profile"] == SRGB
    assert around(after)[0] == pytest.approx(120 + 0.30 * 127.5, abs=2)


def test_a_picture_lying_on_its_side_is_set_upright(resident_host: DrivenHost) -> None:
    upright = Image.new("RGB", (200, 300), GREY)
    upright.paste(SKY, (0, 0, 200, 30))
    exif = Image.Exif()
    exif[0x0112] = 6
    lying = encoded(upright.rotate(90, expand=True), "JPEG", quality=100, exif=exif)
    done = resident_host.done(EnhanceOperation(), lying)
    assert done.picture.size == (200, 300)
    assert around(done.picture, 0.5, 0.04) == pytest.approx(SKY, abs=4)
    assert around(done.picture, 0.5, 0.96) == pytest.approx(GREY, abs=4)
    assert brighter(encoded(upright), done.picture) == pytest.approx(0.30 * 127.5, abs=3)


@pytest.mark.parametrize("size", [(1, 1), (1, 300), (2, 2), (17, 9), (63, 65), (65, 63)], ids=str)
def test_a_tiny_picture_never_breaks_the_engine(
    resident_host: DrivenHost, size: tuple[int, int]
) -> None:
    answer = resident_host.post(EnhanceOperation(), plain(GREY, size))
    assert answer.status_code in {200, 422}
    if answer.status_code == 422:
        assert answer.json()["error"]["code"] == "no_face"


def test_a_picture_of_one_pixel_is_looked_at(resident_host: DrivenHost) -> None:
    faces = resident_host.done(DetectOperation(), plain(GREY, (1, 1))).answer.faces or ()
    assert all((face.x, face.y, face.width, face.height) == (0, 0, 1, 1) for face in faces)


@pytest.mark.parametrize("size", [(257, 256), (256, 257), (255, 255)], ids=str)
def test_an_odd_side_moves_nothing(resident_host: DrivenHost, size: tuple[int, int]) -> None:
    before = plain(GREY, size)
    made = resident_host.done(EnhanceOperation(), before).picture
    box = changed_box(before, made)
    assert made.size == size
    assert box is not None
    assert (box[0] + box[2]) / 2 == pytest.approx(size[0] / 2, abs=2)


def test_a_huge_picture_gets_its_mask(resident_host: DrivenHost) -> None:
    mask = resident_host.done(MaskOperation(), plain(GREY, HUGE)).picture
    assert mask.size == HUGE
    assert around(mask) == (255, 255, 255)
    assert around(mask, 0.01, 0.01) == (0, 0, 0)


@pytest.mark.skipif(not os.environ.get(HOME_VARIABLE), reason="takes half a minute")
def test_a_huge_picture_is_enhanced(resident_host: DrivenHost) -> None:
    made = resident_host.done(EnhanceOperation(), plain(GREY, HUGE)).picture
    assert made.size == HUGE
    middle = made.crop((2400, 2400, 2600, 2600))
    assert around(middle)[0] == pytest.approx(120 + 0.30 * 127.5, abs=2)
