"""ICC profiles made by hand, so that the colours they lead to are known without LittleCMS."""

import itertools
import struct

LAB = {"C": (55, -37, -50), "M": (48, 74, -3), "Y": (89, -5, 93)}
"""Colours of three inks alone, near those of offset printing; paper is L = 100, black is 0."""


def grey_profile(gamma: float) -> bytes:
    """A grey display with the tone curve of a gamma."""
    white = {b"wtpt": _xyz(0.9642, 1.0, 0.8249)}
    return _profile(b"mntr", b"GRAY", b"XYZ ", {b"kTRC": _curve(gamma), **white})


def rgb_profile(gamma: float) -> bytes:
    """A display with the primaries of sRGB and the tone curve of a gamma."""
    primaries = {
        b"rXYZ": _xyz(0.4360, 0.2225, 0.0139),
        b"gXYZ": _xyz(0.3851, 0.7169, 0.0971),
        b"bXYZ": _xyz(0.1431, 0.0606, 0.7139),
    }
    curves = dict.fromkeys((b"rTRC", b"gTRC", b"bTRC"), _curve(gamma))
    return _profile(b"mntr", b"RGB ", b"XYZ ", {**primaries, **curves})


def cmyk_profile() -> bytes:
    """A printer whose inks mix as `mixed` says, by a table of its 16 corners."""
    corners = itertools.product((0, 1), repeat=4)
    table = b"".join(_encoded(mixed(*corner)) for corner in corners)
    identity = struct.pack(">9i", *(round(v * 65536) for v in (1, 0, 0, 0, 1, 0, 0, 0, 1)))
    line = struct.pack(">2H", 0, 65535)
    lut = b"mft2" + struct.pack(">4x4B", 4, 3, 2, 0) + identity + struct.pack(">2H", 2, 2)
    return _profile(b"prtr", b"CMYK", b"Lab ", {b"A2B0": lut + line * 4 + table + line * 3})


def mixed(c: float, m: float, y: float, k: float) -> tuple[float, float, float]:
    """Lab of full inks over each other: each takes its share of the light and adds its hue."""
    if k:
        return 0, 0, 0  # what LittleCMS takes for the darkest, so that nothing is scaled to it
    inks = [LAB[name] for name, amount in zip("CMY", (c, m, y), strict=True) if amount]
    light = 100.0
    for lightness, _, _ in inks:
        light *= lightness / 100
    return light, sum(ink[1] for ink in inks) / 2, sum(ink[2] for ink in inks) / 2


def srgb_of_lab(lab: tuple[float, float, float]) -> tuple[int, ...]:
    """The formulas of CIE 1976 and IEC 61966-2-1, with D50 as white in both (ICC.1:2010)."""
    light = (lab[0] + 16) / 116
    ratios = (light + lab[1] / 500, light, light - lab[2] / 200)
    x, y, z = (
        white * (ratio**3 if ratio > 6 / 29 else (ratio - 4 / 29) * 3 * (6 / 29) ** 2)
        for white, ratio in zip((0.9642, 1.0, 0.8249), ratios, strict=True)
    )
    linear = (
        3.1341 * x - 1.6174 * y - 0.4906 * z,
        -0.9788 * x + 1.9161 * y + 0.0335 * z,
        0.0719 * x - 0.2290 * y + 1.4052 * z,
    )
    return tuple(srgb(value) for value in linear)


def srgb(linear: float) -> int:
    """The tone curve of sRGB."""
    value = min(max(linear, 0.0), 1.0)
    curved = 12.92 * value if value <= 0.0031308 else 1.055 * value ** (1 / 2.4) - 0.055
    return round(255 * curved)


def _encoded(lab: tuple[float, float, float]) -> bytes:
    """Lab at 16 bits as version 2 of the format has it."""
    light, a, b = lab
    values = (light * 652.8, (a + 128) * 256, (b + 128) * 256)
    return struct.pack(">3H", *(min(max(round(value), 0), 65535) for value in values))


def _curve(gamma: float) -> bytes:
    return b"curv" + struct.pack(">4xIH2x", 1, round(gamma * 256))


def _xyz(*values: float) -> bytes:
    return b"XYZ " + struct.pack(">4x3i", *(round(value * 65536) for value in values))


def _profile(kind: bytes, space: bytes, between: bytes, tags: dict[bytes, bytes]) -> bytes:
    tags = {b"desc": b"desc" + struct.pack(">4xI", 1) + bytes(83), **tags}
    offset, entries, data = 132 + 12 * len(tags), b"", b""
    for name, content in tags.items():
        entries += name + struct.pack(">2I", offset + len(data), len(content))
        data += content + bytes(-len(content) % 4)
    head = struct.pack(">I4xI", offset + len(data), 0x02400000) + kind + space + between
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + bytes(28)
    white = struct.pack(">3i", *(round(v * 65536) for v in (0.9642, 1.0, 0.8249)))
    return (head + white).ljust(128, b"\0") + struct.pack(">I", len(tags)) + entries + data
