"""The flow `resume-run`: a crashed run is scheduled again, once.

The automation *A crashed face run goes on* starts it:

    from flows.resume_run import resume_run
    print(resume_run("6f1c0b5e-7a0c-4c38-9d5b-2f0f7f8a6c11").sentence)
"""

from typing import Annotated
from uuid import UUID

from prefect import flow
from pydantic import Field

from flows.parameters import Stripped, unless_typed
from tasks.artifacts import finished
from tasks.log_lines import failing_in_a_sentence
from tasks.resuming import ResumedRun, resume

RunId = Annotated[str, Stripped, Field(pattern="^[0-9a-fA-F-]{32,36}$")]


@flow(name="resume-run", flow_run_name=unless_typed("resume-run"), validate_parameters=False)
@failing_in_a_sentence
def resume_run(run_id: RunId) -> ResumedRun:
    """Schedule a crashed run again, once: what it did is in the ledger and is not done again.

    Args:
        run_id: Id of the run, the last part of its page's address.

    Returns:
        Whether it was scheduled again, and why not.
    """
    return finished(resume(UUID(run_id)))
