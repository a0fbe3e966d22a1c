"""Where the local Prefect server keeps its runs: no choice hides the runs that there are."""

import pytest

from blocks.environment import ConfigurationUnusable
from deployments.prefect_database import Choice, Kind, choose

SQLITE, POSTGRESQL = Kind.SQLITE, Kind.POSTGRESQL
MISSING = "PostgreSQL is not installed."
ANEW = "runs stay in sqlite; STORYCANVAS_PREFECT_DATABASE=postgresql begins anew in PostgreSQL"
HIDDEN = "runs until now are in {0}; set STORYCANVAS_PREFECT_DATABASE={0} to see them again"


@pytest.mark.parametrize(
    ("named", "before", "missing", "chosen"),
    [
        ("", None, None, Choice(POSTGRESQL, required=False)),
        ("", None, MISSING, Choice(SQLITE, required=False)),
        ("", "sqlite", None, Choice(SQLITE, remark=ANEW)),
        ("", "sqlite", MISSING, Choice(SQLITE)),
        ("", "postgresql", None, Choice(POSTGRESQL)),
        ("", "postgresql", MISSING, Choice(POSTGRESQL)),
        ("sqlite", None, None, Choice(SQLITE)),
        ("sqlite", "sqlite", None, Choice(SQLITE)),
        ("sqlite", "postgresql", None, Choice(SQLITE, remark=HIDDEN.format("postgresql"))),
        ("postgresql", None, MISSING, Choice(POSTGRESQL)),
        ("postgresql", "sqlite", None, Choice(POSTGRESQL, remark=HIDDEN.format("sqlite"))),
        (None, "postgresql", None, Choice(POSTGRESQL)),
    ],
)
def test_the_runs_that_there_are_decide_unless_the_operator_does(
    named: str | None, before: str | None, missing: str | None, chosen: Choice
) -> None:
    assert choose(named, before, missing) == chosen


def test_another_word_is_refused_with_what_could_be_meant() -> None:
    with pytest.raises(ConfigurationUnusable, match="is 'mysql'; set it to sqlite or postgresql"):
        choose("mysql", None, None)
