"""The processors by name."""

from importlib import import_module

from facefusion.processors.processor import Processor


def get_processors(names: list[str]) -> list[Processor]:
    """Return the processors in the order in which they are to work."""
    places = (f"facefusion.processors.modules.{name}.core" for name in names)
    found: list[Processor] = [import_module(place).PROCESSOR for place in places]
    return found


def get_processors_modules(names: list[str]) -> list[Processor]:
    """Return what has the functions of FaceFusion's modules: here the processors themselves."""
    return get_processors(names)
