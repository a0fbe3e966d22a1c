"""The picture of models by type and base model, and what all pictures share."""

import io
from functools import cache

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.font_manager import findfont, get_font
from matplotlib.ticker import MaxNLocator, StrMethodFormatter

from storycanvas.catalog.reporting.frames import UNKNOWN

INK = "#333333"
FAINT = "#E6E6E6"
DOTS = 110
"""Dots per inch."""

_FONT = "DejaVu Sans"  # comes with matplotlib, so pictures are the same everywhere


@cache
def _glyphs() -> frozenset[int]:
    return frozenset(get_font(findfont(_FONT)).get_charmap())


def label(text: str, most: int = 34) -> str:
    """Make any text drawable: without formulas and without characters that the font does not have.

    A text of more than `most` characters loses its middle.
    """
    words = " ".join(text.split())
    drawn = "".join(character if ord(character) in _glyphs() else "?" for character in words)
    if len(drawn) > most:
        half = (most - 1) // 2
        drawn = f"{drawn[: most - 1 - half]}…{drawn[-half:]}"
    return drawn.replace("$", r"\$")


def empty_picture(text: str) -> bytes:
    """Make a small PNG with a few words on why there is nothing to draw."""
    figure = Figure(figsize=(6, 1.6))
    figure.text(0.5, 0.5, text, ha="center", va="center", fontsize=13, color=INK, family=_FONT)
    return png(figure)


def bare(axes: Axes) -> None:
    """Remove the frame of a diagram."""
    axes.spines[:].set_visible(False)
    axes.tick_params(length=0, colors=INK)
    axes.set_axisbelow(True)


def png(figure: Figure) -> bytes:
    """Draw a figure as PNG; not one of pyplot's, whose global state is not thread-safe."""
    buffer = io.BytesIO()
    figure.savefig(buffer, format="png", dpi=DOTS, facecolor="white")
    return buffer.getvalue()


MAX_BASES = 9
"""Base models with a colour of their own; the smaller ones are one part, `other`."""

_OTHER = "other"
_COLOURS = (
    "#0072B2", "#E69F00", "#009E73", "#CC79A7", "#56B4E9",
    "#D55E00", "#F0E442", "#7B5EA7", "#8C6D46",
)  # fmt: skip
_REST = {_OTHER: "#B3B3B3", UNKNOWN: "#DADADA"}


def models_plot(frame: pd.DataFrame) -> bytes:
    """Draw as PNG the counts of `frames.by_type_and_base`: a bar a type, a part a base model."""
    if frame.empty:
        return empty_picture("no models yet")
    table = _table(frame)
    bases = list(table.columns)
    places = max(len(table), 2, 0.45 * len(bases))  # the legend needs its height, too
    figure = Figure(figsize=(10, 1.1 + 0.55 * places))
    figure.set_layout_engine("constrained")
    axes = figure.add_subplot()
    left = pd.Series(0, index=table.index)
    for place, base in enumerate(bases):
        colour = _REST.get(base) or _COLOURS[place]
        axes.barh(
            range(len(table)), table[base], 0.68, left, color=colour, edgecolor="white",
            linewidth=0.5, label=label(base, 24),
        )  # fmt: skip
        left += table[base]
    for place, total in enumerate(left):
        axes.text(total, place, f"  {total:,}", va="center", color=INK, fontsize=10)
    axes.set_yticks(range(len(table)), [label(name) for name in table.index], fontsize=11)
    axes.set_ylim(len(table) - 0.5 - places, len(table) - 0.5)
    axes.set_xlim(0, left.max() * 1.09)
    axes.xaxis.set_major_locator(MaxNLocator(nbins=7, integer=True))
    axes.xaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.set_title("Models by type and base model", loc="left", color=INK, fontsize=13, pad=10)
    axes.grid(axis="x", color=FAINT)
    bare(axes)
    figure.legend(loc="outside right upper", frameon=False, labelcolor=INK, fontsize=9.5)
    return png(figure)


def _table(frame: pd.DataFrame) -> pd.DataFrame:
    """Lay counts out, the most frequent type last, the most frequent base model first."""
    totals = frame.groupby("base_model")["models"].sum().sort_values(ascending=False, kind="stable")
    known = [base for base in totals.index if base.casefold() not in _REST]
    kept = {*known[:MAX_BASES], UNKNOWN}
    names = frame["base_model"].where(frame["base_model"].isin(kept), _OTHER)
    counts = frame.assign(base_model=names).pivot_table(
        index="model_type", columns="base_model", values="models", aggfunc="sum", fill_value=0
    )
    rest = [name for name in (_OTHER, UNKNOWN) if name in counts.columns]
    ordered = counts[[*known[:MAX_BASES], *rest]]
    return ordered.loc[ordered.sum(axis=1).sort_values(kind="stable").index]
