"""Finding a chain: one that comes with the project, a saved one, or one that is written out."""

from collections.abc import Mapping
from datetime import UTC, datetime

from db.presets import PresetRepository
from storycanvas.faces.chain import CHAIN, Chain, read_chain, saved_chain_of, shipped_chains
from storycanvas.faces.errors import ChainInvalid
from storycanvas.faces.recipes.chain import chain_pipeline
from storycanvas.faces.recipes.pipeline import Pipeline
from tasks.faces.context import RunContext
from tasks.waiting import first_task


def find_chain(context: RunContext, name: str | None, text: str | None) -> Chain:
    """Find the chain that a run asks for.

    Args:
        context: The run's context.
        name: Of a chain that comes with the project, else name or id of a saved one.
        text: A chain as YAML or JSON, in place of a name.

    Raises:
        ChainInvalid: Neither or both are named, or it cannot be used.
        UnknownPreset: There is none of that name.
    """
    if text is not None and name is None:
        return read_chain(text)
    if name is None or text is not None:
        shipped = ", ".join(shipped_chains())
        raise ChainInvalid(
            f"Name a chain ({shipped}, or a saved one) or write its steps; one of the two."
        )
    return shipped_chains().get(name) or saved_chain(context, name)


def pipeline_of_chain(
    context: RunContext,
    *,
    chain: str | None,
    steps: str | None,
    pictures: Mapping[str, str] | None,
    values: Mapping[str, object] | None,
    allow_child_ages: bool,
) -> Pipeline:
    """Make the pipeline of the flow `face-chain`, whose parameters these are.

    Raises:
        ChainInvalid: It cannot be used, or a picture or a value does not fit.
        UnknownPreset: There is none of that name.
        ChildAgeRefused: An age below 10 without `allow_child_ages`.
    """
    found = find_chain(context, chain, steps)
    return chain_pipeline(found, pictures, values, allow_child_ages=allow_child_ages)


@first_task("load chain {name}")
def saved_chain(context: RunContext, name: str) -> Chain:
    """Read a chain that was saved as a preset."""
    presets = PresetRepository(context.database)
    preset = presets.find(name)
    if preset.operation_type != CHAIN:
        raise ChainInvalid(
            f"The preset {name!r} is for {preset.operation_type}, so it is no chain; name it as "
            "preset."
        )
    chain = saved_chain_of(preset.name, preset.parameters)
    if not context.dry_run:  # after the check: one that is refused has not been used
        presets.count_use(preset.id, context.run_id, datetime.now(UTC))
    return chain
