"""The command `storycanvas`: the local stack, flows in this process, the guard, registration.

Imports stand inside the commands: `--help` answers at once, and Prefect reads its environment when
it is imported, which some commands set first.
"""

from pathlib import Path
from typing import Annotated

from cyclopts import App, Parameter

app = App(
    name="storycanvas",
    help="Keep a StoryCanvas database in shape and make the pictures that a story needs.",
    version_flags=[],
)
guard = App(name="guard", help="Show or free the slots of the face hosts.")
app.command(guard)
blocks = App(name="blocks", help="Ask what the saved blocks name whether it answers.")
app.command(blocks)

StateDir = Annotated[Path, Parameter(help="Where the local services keep their files.")]
STATE_DIR = Path(".storycanvas")
MovedSince = Annotated[
    Path | None,
    Parameter(
        help="Note of an earlier registration, as `up` keeps it: the default blocks follow the "
        "addresses that have moved since.",
    ),
]


@app.command
def up(*, state_dir: StateDir = STATE_DIR) -> int:
    """Start database, Prefect with its UI, a face host and a worker, and leave them running."""
    from deployments.local_stack import report_errors, up  # noqa: PLC0415 - see the module

    return report_errors(lambda: up(state_dir))


@app.command
def down(*, state_dir: StateDir = STATE_DIR) -> int:
    """Stop what `up` started, except what another run still uses."""
    from deployments.local_stack import down, report_errors  # noqa: PLC0415 - see the module

    return report_errors(lambda: down(state_dir))


@app.command
def status(*, state_dir: StateDir = STATE_DIR) -> int:
    """Show what runs, and where."""
    from deployments.local_stack import report_errors, status  # noqa: PLC0415 - see the module

    return report_errors(lambda: status(state_dir))


@app.command
def demo(*, state_dir: StateDir = STATE_DIR) -> int:
    """Start the stack, run both face flows on the sample character, and stop the stack."""
    from deployments.local_stack import demo, report_errors  # noqa: PLC0415 - see the module

    return report_errors(lambda: demo(state_dir))


@app.command(help_flags=[])
def run(
    *words: Annotated[
        str, Parameter(allow_leading_hyphen=True, help="The flow, then its parameters.")
    ],
) -> int:
    """Run a flow in this process, with parameters as `--name value`.

    Parameters that are left out have the flow's own defaults. `storycanvas run` lists the flows,
    `storycanvas run FLOW --help` the parameters of one.
    """
    import flows  # noqa: F401, PLC0415 - sets Prefect's environment, so it comes first
    from deployments.run_flow import run_flow  # noqa: PLC0415 - see the module

    return run_flow(words)


@guard.command(name="status")
def guard_status() -> int:
    """Show slots, holders and waiting runs of each host."""
    from blocks.configured import face_hosts  # noqa: PLC0415 - see the module
    from blocks.environment import Environment  # noqa: PLC0415 - see the module
    from deployments.guard import show  # noqa: PLC0415 - see the module
    from deployments.register import on_prefect_server  # noqa: PLC0415 - see the module

    return on_prefect_server(lambda: show(face_hosts(Environment())))


@guard.command(name="reset")
def guard_reset(
    host: Annotated[str, Parameter(help="Address or limit of the host, as `status` shows it.")], /
) -> int:
    """Free the slots of a host that are taken although nothing runs there."""
    from deployments.guard import reset_named  # noqa: PLC0415 - see the module
    from deployments.register import on_prefect_server  # noqa: PLC0415 - see the module

    return on_prefect_server(lambda: reset_named(host))


@blocks.command(name="check")
def blocks_check() -> int:
    """Have every saved block do one harmless call, and show what answers."""
    from deployments.blocks import check_blocks, saved_blocks  # noqa: PLC0415 - see the module
    from deployments.register import on_prefect_server  # noqa: PLC0415 - see the module

    return on_prefect_server(lambda: check_blocks(saved_blocks()))


@app.command
def register(
    *,
    replace_blocks: Annotated[
        bool, Parameter(negative="", help="Overwrite the blocks named default.")
    ] = False,
    replace_blocks_of: Annotated[
        tuple[str, ...],
        Parameter(
            negative="",
            help="Overwrite only the default block that holds this variable; may be repeated.",
        ),
    ] = (),
    moved_since: MovedSince = None,
    limits_only: Annotated[bool, Parameter(negative="", help="Create only the limits.")] = False,
    runs: Annotated[
        bool, Parameter(help="Start a run of each standing deployment that has none.")
    ] = True,
    database: Annotated[
        bool,
        Parameter(negative="", help="Create what the configured database lacks, too."),
    ] = False,
) -> int:
    """Create limits, blocks, the work pool and deployments on the server of PREFECT_API_URL.

    Limits and blocks that exist stay as they are. The blocks take their values from the environment
    variables of docs/configuration.md.
    """
    from blocks.environment import Environment  # noqa: PLC0415 - see the module
    from deployments.register import (  # noqa: PLC0415 - see the module
        create_limits,
        on_prefect_server,
        register_all,
    )

    if limits_only:
        return on_prefect_server(lambda: create_limits(Environment()))
    return on_prefect_server(
        lambda: register_all(
            replace_blocks=replace_blocks,
            replace_blocks_of=replace_blocks_of,
            moved_since=moved_since,
            runs=runs,
            database=database,
        )
    )


def main() -> None:
    """Run the command that the arguments name, and exit with its code."""
    app()


if __name__ == "__main__":
    main()
