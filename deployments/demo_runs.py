"""The runs of the demo, against the system that the environment names."""

import sys
from pathlib import Path
from urllib.parse import unquote, urlsplit

from blocks.configured import story_database
from blocks.environment import ConfigurationUnusable, Environment
from db.errors import DatabaseError
from deployments.sample import TARGET, add_sample_character
from flows.age_progression import age_progression
from flows.enhance_then_swap import enhance_then_swap
from storycanvas.faces.errors import FaceError
from storycanvas.faces.report import FaceRunReport
from storycanvas.gpu.guard.limit import GuardClosed
from tasks.faces.plan import describe
from tasks.faces.report import StepsFailed


def main() -> int:
    """Run both flows on the sample character."""
    character_id = add_sample_character(story_database(Environment()).connect())
    try:
        show(age_progression(character_id))
        show(enhance_then_swap(character_id, str(TARGET)))
    except StepsFailed as error:
        show(error.report)
        return 1
    except (FaceError, DatabaseError, GuardClosed, ConfigurationUnusable) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def show(report: FaceRunReport) -> None:
    """Print a report: one line a step, then where the contact sheet lies."""
    print(f"\n{report.flow} of {report.character_id}, engine {report.engine}")
    if report.base_age is not None:
        print(f"  base age {report.base_age}, estimated {report.estimated_age}")
    for warning in report.warnings:
        print(f"  note: {warning}")
    for step in report.steps:
        print(f"  {describe(step)}")
    print(f"  contact sheet: {_on_disk(report.contact_sheet or '')}")


def _on_disk(url: str) -> str:
    """Show a file's path as people type it, anything else as it is."""
    parts = urlsplit(url)
    if parts.scheme != "file":
        return url
    path = Path(unquote(parts.path))
    here = Path.cwd()
    return str(path.relative_to(here) if path.is_relative_to(here) else path)


if __name__ == "__main__":
    sys.exit(main())
