"""What the work could run on."""

import onnxruntime

NAMES = {"cuda": "CUDAExecutionProvider", "cpu": "CPUExecutionProvider"}


def get_available_execution_providers() -> list[str]:
    """Return the providers that onnxruntime was built with, by FaceFusion's names."""
    built = onnxruntime.get_available_providers()
    return [name for name, provider in NAMES.items() if provider in built]


def has_execution_provider(execution_provider: str) -> bool:
    """Return whether there is a provider of this name."""
    return execution_provider in get_available_execution_providers()
