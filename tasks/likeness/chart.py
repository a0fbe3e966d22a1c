"""The picture of an audit, a strip a character of distances and of ages, and its table."""

from collections.abc import Sequence
from math import sin

from matplotlib.axes import Axes
from matplotlib.figure import Figure

from storycanvas.catalog.reporting.charts import FAINT, INK, bare, empty_picture, label, png
from storycanvas.faces.likeness.audit import AuditedPicture, CharacterAudit, LikenessReport
from tasks.artifacts import ReportArtifact, inline_picture

NAME = "audit-likeness"
ALL = "all-characters"
MAX_CHARACTERS = 30
"""Strips of a picture, those with most outliers first."""
_NAMED = 3
"""Outliers of a strip whose file names are written beside them."""
_USUAL, _OUTLIER, _BOUND = "#4C78A8", "#C8324A", "#888888"


def likeness_plot(audits: Sequence[CharacterAudit]) -> bytes:
    """Draw as PNG a strip for each character: likeness on the left, age on the right.

    A point is a picture, an outlier is red, and the worst are named. The grey line is the
    character's bound; on the right a thin line leads from the asked age to the read one.
    """
    with_pictures = [audit for audit in audits if audit.pictures]
    if not with_pictures:
        return empty_picture("no pictures in these galleries")
    ordered = sorted(with_pictures, key=lambda audit: -len(audit.outliers()))
    shown = ordered[:MAX_CHARACTERS]
    figure = Figure(figsize=(12, 1.6 + 0.7 * len(shown)))
    figure.set_layout_engine("constrained")
    left, right = figure.subplots(1, 2, sharey=True)
    for row, audit in enumerate(reversed(shown)):
        _draw_likeness(left, row, audit)
        _draw_ages(right, row, audit)
    names = [label(audit.name or audit.character_id, 24) for audit in reversed(shown)]
    left.set_yticks(range(len(shown)), names)
    left.set_ylim(-0.6, len(shown) - 0.4)
    _finish(left, "Distance to the nearest reference image", measured=_any(shown, "distance"))
    _finish(right, "Age in years, read", measured=_any(shown, "age"))
    more = len(ordered) - len(shown)
    title = "Galleries: likeness and age" + (f"; {more} more characters are not shown" * bool(more))
    figure.suptitle(title, x=0.01, ha="left", color=INK, fontsize=11.5)
    return png(figure)


def _any(audits: Sequence[CharacterAudit], field: str) -> bool:
    return any(
        getattr(picture, field) is not None for audit in audits for picture in audit.pictures
    )


def _draw_likeness(axes: Axes, row: int, audit: CharacterAudit) -> None:
    found = [picture for picture in audit.pictures if picture.distance is not None]
    points = [(picture.distance or 0.0, row + _shift(place)) for place, picture in enumerate(found)]
    _scatter(axes, points, [picture.is_unlike for picture in found])
    bounds = {picture.same_below for picture in found if picture.same_below is not None}
    for bound in bounds:
        axes.plot([bound, bound], [row - 0.4, row + 0.4], color=_BOUND, linewidth=1.2)
    unlike = [(picture, at) for picture, at in zip(found, points, strict=True) if picture.is_unlike]
    unlike.sort(key=lambda pair: -pair[0].badness)
    _name(axes, unlike[:_NAMED])


def _draw_ages(axes: Axes, row: int, audit: CharacterAudit) -> None:
    found = [picture for picture in audit.pictures if picture.age is not None]
    points = [(picture.age or 0.0, row + _shift(place)) for place, picture in enumerate(found)]
    _scatter(axes, points, [picture.is_off_age for picture in found])
    off = [(picture, at) for picture, at in zip(found, points, strict=True) if picture.is_off_age]
    for picture, (age, height) in off:
        axes.plot([picture.asked_age or 0, age], [height, height], color=_OUTLIER, linewidth=0.7)
    off.sort(key=lambda pair: -pair[0].badness)
    _name(axes, off[:_NAMED])


def _scatter(axes: Axes, points: Sequence[tuple[float, float]], red: Sequence[bool]) -> None:
    for outlier, colour in ((False, _USUAL), (True, _OUTLIER)):
        part = [point for point, is_red in zip(points, red, strict=True) if is_red is outlier]
        if part:
            across, up = zip(*part, strict=True)
            axes.scatter(across, up, s=14, color=colour, alpha=0.7, linewidths=0)


def _name(axes: Axes, outliers: Sequence[tuple[AuditedPicture, tuple[float, float]]]) -> None:
    for picture, (across, up) in outliers:
        name = label(picture.picture.rsplit("/", 1)[-1], 22)
        axes.annotate(
            name, (across, up), (4, 3), textcoords="offset points", fontsize=7, color=_OUTLIER
        )


def _shift(place: int) -> float:
    """Spread the points of a strip, the same way each time."""
    return 0.3 * sin(7919 * place)


def _finish(axes: Axes, title: str, *, measured: bool) -> None:
    bare(axes)
    axes.grid(axis="x", color=FAINT)
    axes.set_title(title, loc="left", color=INK, fontsize=10.5)
    axes.set_xlim(left=0)
    if not measured:
        axes.text(
            0.5, 0.5, "not measured", transform=axes.transAxes, ha="center", color=INK, fontsize=12
        )


def audit_artifacts(
    report: LikenessReport, audits: Sequence[CharacterAudit], key: str
) -> tuple[ReportArtifact, ReportArtifact]:
    """Draw the strips, and write the outliers as a table."""
    picture = inline_picture(f"likeness and age: {report.summary()}", likeness_plot(audits))
    rows = [
        {
            "character": character.name or character.character_id,
            "picture": picture.picture,
            "gallery": picture.gallery,
            "remarks": "; ".join(picture.remarks),
            "distance": "not measured" if picture.distance is None else picture.distance,
            "asked age": "none" if picture.asked_age is None else picture.asked_age,
            "age read": "not measured" if picture.age is None else picture.age,
        }
        for character in report.characters
        for picture in character.outliers
    ]
    return (
        ReportArtifact(f"{key}-strips", picture, only_newest=True),
        ReportArtifact(f"{key}-outliers", rows),
    )
