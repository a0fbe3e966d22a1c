"""Which base model a model file belongs to, so that it gets the presets that suit it.

The order of looking and the mapping of Civitai's texts are in docs/schema.md, Presets. Any other
model is unknown; the app takes it for `sdxl`, whose parameters suit no other family.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Literal

BaseModelKey = Literal[
    "sdxl",
    "flux_dev",
    "flux_schnell",
    "flux_krea",
    "pony",
    "wan_2_1",
    "wan_2_2",
    "hidream",
    "sd_1_5",
]

_SEPARATORS = re.compile(r"[\W_]+")
_STATED: tuple[tuple[str, BaseModelKey], ...] = (
    (r"sdxl( 1 0( lcm)?| lightning| turbo| hyper)?|illustrious( v?\d.*)?|noobai( .*)?", "sdxl"),
    (r"pony", "pony"),
    (r"sd 1 5( .*)?", "sd_1_5"),
    (r"flux (1 d|dev)", "flux_dev"),
    (r"flux (1 s|schnell)", "flux_schnell"),
    (r"flux (1 )?krea( .*)?", "flux_krea"),
    (r"wan (video )?2 2( .*)?", "wan_2_2"),
    (r"wan( .*)?", "wan_2_1"),
    (r"hidream( .*)?", "hidream"),
)
"""What the whole text must be, in small letters and with a space for every separator."""

_FLUX = r"(?i:flux)(?!\.?2)"
_WAN = r"(?:(?<![A-Za-z])(?i:wan)|(?<=[a-z])Wan)(?:(?i:video)|(?![a-z]))"
_NAMED: tuple[tuple[str, BaseModelKey], ...] = (
    (rf"{_FLUX}.*(?i:schnell)|(?i:schnell).*{_FLUX}", "flux_schnell"),
    (rf"{_FLUX}.*(?i:krea)|(?i:krea).*{_FLUX}", "flux_krea"),
    (_FLUX, "flux_dev"),
    (r"(?i:sd_?xl)|(?<![xX])(?i:xl)(?![a-z])", "sdxl"),
    (r"(?i:pony)", "pony"),
    (rf"{_WAN}.*2[._]2(?!\d)|{_WAN}[._ -]?22(?!\d)", "wan_2_2"),
    (_WAN, "wan_2_1"),
    (r"(?i:hidream)", "hidream"),
    (r"(?i:(?<![a-z])sd|diffusion)[._ -]?v?1[._-]?5(?!\d)|(?<![\dvV.])1\.5(?!\d)", "sd_1_5"),
)
"""What a name must hold; the first that fits decides.

Bare letters would take a `t5xxl` for SDXL, a swan for Wan and the version 1.5 of any file for
SD 1.5; the expressions therefore check what stands around the letters.
"""


def base_model_of(model: Mapping[str, Any]) -> BaseModelKey | None:
    """Find the key of a model's presets, or None if its base model is unknown.

    A stated base model decides, even one without presets; the name decides only where none is
    stated.
    """
    for _, text in _stated(model):
        plain = _SEPARATORS.sub(" ", text.casefold()).strip()
        return next((key for form, key in _STATED if re.fullmatch(form, plain)), None)
    name = model.get("name")
    if not isinstance(name, str):
        return None
    return next((key for form, key in _NAMED if re.search(form, name)), None)


def evidence_of(model: Mapping[str, Any]) -> str:
    """Describe where a model's base model was looked for."""
    for field, text in _stated(model):
        return f"{field} is {text!r}"
    return "nothing but the name"


def _stated(model: Mapping[str, Any]) -> Iterator[tuple[str, str]]:
    """Yield the fields that name a base model, the most reliable first."""
    metadata = model.get("metadata")
    nested = metadata if isinstance(metadata, Mapping) else {}
    fields = {
        "base_model": model.get("base_model"),
        "metadata.base_model": nested.get("base_model"),
        "metadata.baseModel": nested.get("baseModel"),
    }
    for field, value in fields.items():
        if isinstance(value, str) and value.strip():
            yield field, value
