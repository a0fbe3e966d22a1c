"""From parsed arguments to the state, and to what a job file keeps."""

from collections.abc import Callable
from typing import Any

from facefusion import contract, state_manager

SPACES = ("face_detector_margin", "face_mask_padding")


def apply_args(args: dict[str, Any], apply_state_item: Callable[[str, Any], None]) -> None:
    """Put every option into the state; an option that is not in `args` becomes None."""
    apply_state_item("command", args.get("command"))
    for key in sorted(contract.step_keys() | contract.job_keys() - {"config_path"}):
        value = args.get(key)
        apply_state_item(key, normalize_space(value) if key in SPACES else value)


def normalize_space(spaces: list[int] | None) -> tuple[int, ...] | None:
    """Spread one to four numbers over four sides, as CSS does."""
    if not spaces:
        return None
    top, *rest = spaces
    right = rest[0] if rest else top
    bottom = rest[1] if len(rest) > 1 else top
    left = rest[2] if len(rest) > 2 else right
    return (top, right, bottom, left)


def reduce_step_args(args: dict[str, Any]) -> dict[str, Any]:
    """Keep what is stored with a step."""
    return {key: value for key, value in args.items() if key in contract.step_keys()}


def collect_job_args() -> dict[str, Any]:
    """Return what the job's own options are now."""
    return {key: state_manager.get_item(key) for key in sorted(contract.job_keys())}
