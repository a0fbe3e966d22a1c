"""Running a network of OpenCV from several threads, and checking what it answers."""

from collections.abc import Callable
from queue import Empty, LifoQueue

import cv2
import cv2.dnn
import numpy as np

from storycanvas.faces.measures.errors import OutputNotFinite
from storycanvas.faces.measures.measure import Bytes, Floats
from storycanvas.faces.measures.weights import Weights, read_weights

_READERS: dict[str, Callable[[Bytes], cv2.dnn.Net]] = {
    ".tflite": cv2.dnn.readNetFromTFLite,
    ".onnx": cv2.dnn.readNetFromONNX,
}


class Network:
    """A network that threads may share.

    OpenCV's networks keep their input and are not safe for threads, so each call takes one that no
    other call uses; there are as many as ever ran at one time.
    """

    def __init__(self, weights: Weights) -> None:
        self._weights = weights
        self._idle: LifoQueue[cv2.dnn.Net] = LifoQueue()

    def run(self, picture: Floats) -> list[Floats]:
        """Run the network on a picture (height x width x 3), already scaled as it takes it.

        Raises:
            WeightsMissing: Its weights are not installed.
            WeightsChanged: Its weights are not the known ones.
            OutputNotFinite: An output is no finite number.
        """
        net = self._take()
        try:
            net.setInput(np.ascontiguousarray(picture.transpose(2, 0, 1)[None]))
            # A copy, since the next call on the same network writes where these lie.
            outputs = [np.array(out, np.float32) for out in net.forward(_outputs_of(net))]
        finally:
            self._idle.put(net)
        return [self._finite(output) for output in outputs]

    def _take(self) -> cv2.dnn.Net:
        try:
            return self._idle.get_nowait()
        except Empty:
            content = np.frombuffer(read_weights(self._weights), np.uint8)
            suffix = self._weights.file[self._weights.file.rindex(".") :]
            return _READERS[suffix](content)

    def _finite(self, output: Floats) -> Floats:
        if not np.isfinite(output).all():
            raise OutputNotFinite(f"{self._weights.file} answered with no finite number.")
        return output


def _outputs_of(net: cv2.dnn.Net) -> tuple[str, ...]:
    return tuple(net.getUnconnectedOutLayersNames())


def sigmoid(value: Floats | float) -> Floats:
    """Return 0 to 1 for any number; it does not overflow."""
    return np.asarray(1 / (1 + np.exp(-np.clip(value, -80, 80))), np.float32)
