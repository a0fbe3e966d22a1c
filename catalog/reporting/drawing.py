"""What all pictures of the reports share: colours, letters and the way to PNG."""

import io
from functools import cache

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font

INK = "#333333"
FAINT = "#E6E6E6"
DOTS = 110
"""Dots per inch."""

_FONT = "DejaVu Sans"  # comes with matplotlib, so pictures are the same everywhere


@cache
def _letters() -> frozenset[int]:
    return frozenset(get_font(findfont(_FONT)).get_charmap())


def label(text: str, most: int = 34) -> str:
    """Make text drawable: without formulas and without letters that the font does not have.

    Args:
        text: From anywhere.
        most: Letters; what is longer loses its middle.
    """
    words = " ".join(text.split())
    drawn = "".join(letter if ord(letter) in _letters() else "?" for letter in words)
    if len(drawn) > most:
        half = (most - 1) // 2
        drawn = f"{drawn[: most - 1 - half]}…{drawn[-half:]}"
    return drawn.replace("$", r"\$")


def empty_picture(text: str) -> bytes:
    """Make a small picture that says why there is nothing to see.

    Args:
        text: A few words.

    Returns:
        A PNG.
    """
    figure = Figure(figsize=(6, 1.6))
    figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=13, color=INK, family=_FONT)
    return png(figure)


def bare(axes: Axes) -> None:
    """Take the frame away from a diagram."""
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, colors=INK)
    axes.set_axisbelow(True)


def png(figure: Figure) -> bytes:
    """Draw a figure.

    Args:
        figure: One that no global state knows, so that threads do not meet.

    Returns:
        A PNG.
    """
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS, facecolor="white")
    return buffer.getvalue()
