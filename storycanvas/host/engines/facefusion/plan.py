"""How the engine drives FaceFusion, from the host's settings and environment."""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from storycanvas.host.engines.facefusion.drivers.driver import ISOLATED, ExecutionConfig, Renewal
from storycanvas.host.engines.facefusion.process.environment import facefusion_environment
from storycanvas.host.engines.facefusion.process.errors import ProviderMissing
from storycanvas.host.engines.facefusion.process.installation import (
    Installation,
    InstallationUnusable,
    find_home,
    find_installation,
    find_python,
)
from storycanvas.host.engines.facefusion.process.probing import ProbeConfig, probe_sessions
from storycanvas.host.engines.facefusion.translation.execution import (
    DEVICE_KEY,
    PROVIDERS_KEY,
    execution_options,
    execution_values,
)
from storycanvas.host.settings import HostSettings

_ATTEMPT_SHARE = 0.45
"""Share of an operation's time that one attempt may take, so that a second one fits in."""


@dataclass(frozen=True)
class EnginePlan:
    """How the engine drives FaceFusion.

    Attributes:
        installation: The FaceFusion to drive.
        environment: The whole environment of its processes.
        folder: The engine's own folder, absolute.
        options: What every command line begins with.
        slots: Operations at one time; each has a FaceFusion process of its own.
        try_seconds: Longest time of one attempt; a second one may follow.
        renewal: When a process is replaced.
        downloads: Whether FaceFusion loads weights that are missing.
        execution: What its sessions are asked for; None asks nothing.
        restart_seconds: Pause before a FaceFusion that did not start is started again.
        preload: What is loaded before the engine is ready, by the names of `PRELOADS`.
    """

    installation: Installation
    environment: dict[str, str]
    folder: Path
    options: tuple[str, ...]
    slots: int
    try_seconds: float
    renewal: Renewal
    downloads: bool = False
    execution: ExecutionConfig | None = None
    restart_seconds: float = 30.0
    preload: tuple[str, ...] = ()


def plan_engine(settings: HostSettings, environment: Mapping[str, str]) -> EnginePlan:
    """Find FaceFusion by the environment, and decide how it is driven.

    Raises:
        InstallationUnusable: It cannot be used, or its ini file cannot.
    """
    installation = usable_installation(environment)
    folder = settings.data_dir.resolve() / "facefusion"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    renewal = Renewal(settings.renew_operations, round(settings.renew_gib * 2**30))
    return EnginePlan(
        installation=installation,
        environment=facefusion_environment(environment, downloads=settings.allow_downloads),
        folder=folder,
        options=_options(settings, installation, folder),
        slots=settings.slots,
        try_seconds=_ATTEMPT_SHARE * settings.operation_seconds,
        renewal=ISOLATED if settings.isolated else renewal,
        downloads=settings.allow_downloads,
        execution=ExecutionConfig(probe_config(installation.home), settings.require_gpu),
        preload=settings.preload,
    )


def usable_installation(environment: Mapping[str, str]) -> Installation:
    """Find FaceFusion; where it does not even tell its version, judge its ini file first.

    With a provider that onnxruntime does not offer FaceFusion 3.8.1 ends with status 2, whatever
    it is asked, and its requirements are not the reason.

    Raises:
        InstallationUnusable: It cannot be used, with what to do.
    """
    try:
        return find_installation(environment)
    except InstallationUnusable:
        home = find_home(environment)
        config = probe_config(home)
        if config.asked:
            answer = probe_sessions(find_python(environment, home), home, environment, config)
            missing = [name for name in config.asked if name not in answer.offered]
            if missing and answer.offered:
                reason = str(ProviderMissing(missing, answer.offered))
                raise InstallationUnusable(reason) from None
        raise


def probe_config(home: Path) -> ProbeConfig:
    """Ask for what the operator's ini file in a checkout asks for."""
    values = execution_values(home)
    device = values.get(DEVICE_KEY, ("0",))[0]
    return ProbeConfig(asked=values.get(PROVIDERS_KEY, ()), device=device)


def _options(settings: HostSettings, installation: Installation, folder: Path) -> tuple[str, ...]:
    return (
        # A file that is not there: the operator's own facefusion.ini must not change results.
        *("--config-path", str(folder / "none.ini")),
        *execution_options(installation),
        *("--video-memory-strategy", settings.video_memory),
        *("--download-providers", "github"),
        *("--log-level", "info"),
    )
