"""How flows end: the page of a run in the Prefect UI shows in a sentence what was done."""

import ast
import inspect
import textwrap
from collections.abc import Iterator

import pytest

from deployments.run_flow import flow_names, load_flow

ENDS_WITH_A_MESSAGE = {
    *("finished", "run_pipeline", "run_prepared", "run_batch", "run_for_characters"),
    "run_drain",
    "finish_adding",
    "count_and_change",
    *("Completed", "Failed"),
}
"""What gives a flow a state with a message; a report alone leaves the message empty."""


def returned(name: str) -> Iterator[str]:
    """What a flow's `return` statements give, as source text."""
    source = textwrap.dedent(inspect.getsource(inspect.unwrap(load_flow(name).fn)))
    for node in own_nodes(ast.parse(source).body[0]):
        if isinstance(node, ast.Return):
            assert node.value
            called = node.value.func if isinstance(node.value, ast.Call) else node.value
            yield ast.unparse(called)


def own_nodes(function: ast.AST) -> Iterator[ast.AST]:
    """The nodes of a function without those of functions in it."""
    for node in ast.iter_child_nodes(function):
        if not isinstance(node, ast.FunctionDef):
            yield node
            yield from own_nodes(node)


@pytest.mark.parametrize("name", flow_names())
def test_the_state_of_every_run_has_a_message(name: str) -> None:
    ends = set(returned(name))

    assert ends
    assert ends <= ENDS_WITH_A_MESSAGE
