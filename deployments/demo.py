"""The runs of `storycanvas demo`, against the system that the environment names."""

import sys

from blocks.configured import story_database
from blocks.environment import ConfigurationUnusable, Environment
from db.errors import DatabaseError
from deployments.run_flow import show_face_report
from deployments.sample import TARGET, add_sample_character
from flows.age_progression import age_progression
from flows.enhance_then_swap import enhance_then_swap
from storycanvas.faces.errors import FaceError
from storycanvas.gpu.guard.limit import GuardClosed
from tasks.faces.reporting.report import StepsFailed


def main() -> int:
    """Run both flows on the sample character."""
    character_id = add_sample_character(story_database(Environment()).connect())
    try:
        show_face_report(age_progression(character_id))
        show_face_report(enhance_then_swap(character_id, str(TARGET)))
    except StepsFailed as error:
        show_face_report(error.report)
        return 1
    except (FaceError, DatabaseError, GuardClosed, ConfigurationUnusable) as error:
        print(error, file=sys.stderr)
        return 1
    return 0


if __name__ == "__main__":
    sys.exit(main())
