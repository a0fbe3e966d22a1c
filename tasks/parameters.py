"""Checking the parameters of flows: what does not fit is named without its value."""

import functools
import inspect
from collections.abc import Callable, Collection, Mapping
from typing import Any

from prefect import Flow
from prefect.exceptions import ParameterTypeError
from pydantic import ConfigDict, ValidationError, validate_call

_ANY_TYPE = ConfigDict(arbitrary_types_allowed=True)

Check = Callable[[Mapping[str, Any]], tuple[tuple[Any, ...], dict[str, Any]]]
"""Converts parameters, given by name, to the arguments of a function."""


def parameter_check(function: Callable[..., Any]) -> Check:
    """Make the check of a function's parameters.

    It raises `ParameterTypeError` with a sentence that names each parameter that does not fit.
    """
    keep: Any = functools.wraps(function)(lambda *args, **kwargs: (args, kwargs))
    checked = validate_call(config=_ANY_TYPE)(keep)

    def check(named: Mapping[str, Any]) -> tuple[tuple[Any, ...], dict[str, Any]]:
        try:
            arguments: tuple[tuple[Any, ...], dict[str, Any]] = checked(**named)
        except ValidationError as error:
            reasons = "; ".join(map(_reason, error.errors(include_url=False, include_input=False)))
            raise ParameterTypeError(f"Parameters that cannot be used: {reasons}.") from None
        return arguments

    return check


def own_parameters(
    flow: Flow[..., Any], given: Mapping[str, Any], shared: Collection[str]
) -> dict[str, Any]:
    """Check what another flow is to carry out of a flow, and fill in its defaults.

    Args:
        flow: The flow.
        given: Values of its parameters, by name.
        shared: Parameters that are fields of the other flow itself; `character_id` is one.

    Returns:
        All its parameters but the shared ones.

    Raises:
        ParameterTypeError: A value does not fit, or a name is unknown or shared.
    """
    function = inspect.unwrap(flow.fn)
    signature = inspect.signature(function)
    own = [name for name in signature.parameters if name not in shared]
    for name in given:
        if name not in own:
            raise ParameterTypeError(
                f"parameters: {flow.name} takes no {str(name)[:60]!r} there; it takes "
                f"{', '.join(own)}."
            )
    needed = {"character_id": "any"} if "character_id" in signature.parameters else {}
    args, kwargs = parameter_check(function)({**needed, **given})
    bound = signature.bind(*args, **kwargs)
    bound.apply_defaults()
    return {name: bound.arguments[name] for name in own}


def _reason(problem: Any) -> str:  # noqa: ANN401 - pydantic's own
    place = ".".join(str(part) for part in problem["loc"])
    return f"{place}: {problem['msg'].removeprefix('Value error, ')}"
