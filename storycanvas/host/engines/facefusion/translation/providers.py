"""Names of what FaceFusion computes on (FaceFusion 3.5 to 3.8, `choices.py`)."""

from collections.abc import Iterable
from types import MappingProxyType

PROVIDERS = MappingProxyType(
    {
        "cuda": "CUDAExecutionProvider",
        "tensorrt": "TensorrtExecutionProvider",
        "rocm": "ROCMExecutionProvider",
        "migraphx": "MIGraphXExecutionProvider",
        "coreml": "CoreMLExecutionProvider",
        "openvino": "OpenVINOExecutionProvider",
        "qnn": "QNNExecutionProvider",
        "directml": "DmlExecutionProvider",
        "cpu": "CPUExecutionProvider",
    }
)
"""FaceFusion's names and those of onnxruntime. If the operator names none, the first of them that
onnxruntime offers is used."""

CPU = "cpu"


def facefusion_names(providers: Iterable[str]) -> tuple[str, ...]:
    """Translate onnxruntime's names to FaceFusion's, in FaceFusion's order."""
    known = frozenset(providers)
    return tuple(name for name, provider in PROVIDERS.items() if provider in known)


def on_cpu_alone(used: Iterable[str]) -> bool:
    """Return whether nothing but the CPU is used; unknown use is not."""
    return set(used) == {CPU}
