"""Making a face clearer and sharper."""

import numpy as np

from faces.operations import EnhancementModel
from host.engines.preview.frame import View, face_mask
from host.engines.preview.pixels import Floats, blurred, smoothed, to_lab, to_rgb

STRENGTHS: dict[EnhancementModel, float] = {
    EnhancementModel.GFPGAN_1_2: 0.8,
    EnhancementModel.GFPGAN_1_3: 0.9,
    EnhancementModel.GFPGAN_1_4: 1.0,
    EnhancementModel.CODEFORMER: 1.1,
    EnhancementModel.RESTOREFORMER_PLUS_PLUS: 1.2,
    EnhancementModel.GPEN_BFR_256: 0.7,
    EnhancementModel.GPEN_BFR_512: 0.95,
    EnhancementModel.GPEN_BFR_1024: 1.15,
    EnhancementModel.GPEN_BFR_2048: 1.3,
}
"""How strongly each model's stand-in sharpens."""


def enhanced(view: View, model: EnhancementModel) -> Floats:
    """Take the grain out of a face and bring its contours out.

    Args:
        view: The face.
        model: Only its strength differs here.

    Returns:
        Colours of the whole view, unchanged away from the face.
    """
    strength, unit = STRENGTHS[model], view.face.unit
    lab = to_lab(view.rgb)
    light = lab[:, :, 0]
    calm = smoothed(light, 0.03 * unit, 2)
    fine, broad = calm - blurred(calm, 0.025 * unit), calm - blurred(calm, 0.12 * unit)
    sharp = calm + np.float32(strength) * (1.2 * fine + 0.35 * broad)
    clear = np.dstack([np.clip(sharp + strength, 0, 100), lab[:, :, 1:] * (1 + 0.08 * strength)])
    share = face_mask(view)[:, :, None]
    return view.rgb + share * (to_rgb(clear.astype(np.float32)) - view.rgb)
