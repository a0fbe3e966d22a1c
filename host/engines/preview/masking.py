"""The mask of a face as a picture."""

import numpy as np

from host.engines.preview.frame import Face, View, face_mask
from host.engines.preview.pixels import Bytes


def masked(rgb: Bytes, faces: list[Face]) -> Bytes:
    """Draw white where faces may change on black, soft between.

    Args:
        rgb: The picture the faces are in.
        faces: Faces to open.

    Returns:
        A picture of the same size.
    """
    drawn = np.zeros_like(rgb)
    for face in faces:
        view = View.around(face, rgb)
        share = np.rint(face_mask(view) * 255).astype(np.uint8)[:, :, None]
        part = drawn[view.rows, view.columns]
        np.maximum(part, share, out=part)
    return drawn
