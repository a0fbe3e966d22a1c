"""Would the host start with these options?"""

from collections.abc import Mapping
from typing import Any

from pydantic import ValidationError

from host.command_line import refusal, settings_of
from host.doctor.finding import Finding, failed, ok

CHECK = "settings"


def check_settings(arguments: Mapping[str, Any], environment: Mapping[str, str]) -> Finding:
    """Judge the options as the host itself does.

    Args:
        arguments: What `host.command_line.host_parser` read.
        environment: Holds the token.
    """
    try:
        settings = settings_of(arguments, environment)
    except ValidationError as error:
        return failed(CHECK, refusal(error), "correct that option; the host would refuse to start")
    return ok(
        CHECK,
        f"engine {settings.engine} on {settings.host} port {settings.port}, "
        f"{settings.slots} at a time, {settings.queue} more may wait",
    )
