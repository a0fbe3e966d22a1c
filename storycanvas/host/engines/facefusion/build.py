"""Builds the engine from the host's settings."""

from collections.abc import Mapping

from storycanvas.host.engines.facefusion.drivers.driver import ISOLATED, Renewal
from storycanvas.host.engines.facefusion.engine import EnginePlan, FaceFusionEngine
from storycanvas.host.engines.facefusion.process.environment import facefusion_environment
from storycanvas.host.engines.facefusion.process.installation import find_installation
from storycanvas.host.engines.facefusion.translation.execution import execution_options
from storycanvas.host.settings import HostSettings

_ATTEMPT_SHARE = 0.45
"""Share of an operation's time that one attempt may take, so that a second one fits in."""


def build_engine(settings: HostSettings, environment: Mapping[str, str]) -> FaceFusionEngine:
    """Find FaceFusion by the environment and begin to start it.

    Raises:
        InstallationUnusable: FaceFusion is missing, incomplete or not supported.
    """
    installation = find_installation(environment)
    folder = settings.data_dir.resolve() / "facefusion"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    options = (
        # A file that is not there: the operator's own facefusion.ini must not change results.
        *("--config-path", str(folder / "none.ini")),
        *execution_options(installation),
        *("--video-memory-strategy", settings.video_memory),
        *("--download-providers", "github"),
        *("--log-level", "info"),
    )
    renewal = Renewal(settings.renew_operations, round(settings.renew_gib * 2**30))
    plan = EnginePlan(
        installation=installation,
        environment=facefusion_environment(environment, downloads=settings.allow_downloads),
        folder=folder,
        options=options,
        slots=settings.slots,
        try_seconds=_ATTEMPT_SHARE * settings.operation_seconds,
        renewal=ISOLATED if settings.isolated else renewal,
        downloads=settings.allow_downloads,
    )
    return FaceFusionEngine(plan)
