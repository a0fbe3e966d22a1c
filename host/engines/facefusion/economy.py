"""Doing an operation with less memory, after FaceFusion ran out of it once."""

import re
from collections.abc import Sequence
from typing import NamedTuple

_OWN_SIZE = re.compile(r"_(\d+)(?:_|$)")
"""The side of a swapper's own network, as its name says: `inswapper_128_fp16` works at 128."""
_LEAST = {"--video-memory-strategy": "strict", "--execution-thread-count": "1"}


class Economical(NamedTuple):
    """A command line that needs less memory.

    Attributes:
        arguments: The command line.
        stepped_down: What was changed, such as `face_swapper_pixel_boost 256x256 -> 128x128`.
    """

    arguments: tuple[str, ...]
    stepped_down: tuple[str, ...]


def economical(arguments: Sequence[str]) -> Economical:
    """Ask FaceFusion to keep fewer models loaded and to work on smaller pieces.

    Models and blends stay, for they would make another picture than the one asked for.

    Args:
        arguments: Options and values of `headless-run`.
    """
    options, values, changed = list(arguments), dict(_LEAST), []
    boost = _own_pixel_boost(options)
    if boost is not None:
        values["--face-swapper-pixel-boost"] = boost
    for option, value in values.items():
        before = _value(options, option)
        if before is None:
            options += [option, value]
        elif before != value:
            options[options.index(option) + 1] = value
        if before != value:
            changed.append(f"{option[2:].replace('-', '_')} {before or 'default'} -> {value}")
    return Economical(tuple(options), tuple(changed))


def _own_pixel_boost(options: list[str]) -> str | None:
    model = _value(options, "--face-swapper-model")
    own = _OWN_SIZE.search(model) if model else None
    return f"{own[1]}x{own[1]}" if own and "--face-swapper-pixel-boost" in options else None


def _value(options: list[str], option: str) -> str | None:
    return options[options.index(option) + 1] if option in options else None
