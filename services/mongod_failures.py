"""What an early end of `mongod` means, and what helps."""

import json
import re
import signal
from typing import Any

from services.errors import ProcessorTooOld, ServiceDied, ServiceError, SharedLibraryMissing

DEBIAN_PACKAGES = {
    "libcurl.so.4": "libcurl4",
    "libcrypto.so.3": "libssl3",
    "libssl.so.3": "libssl3",
    "liblzma.so.5": "liblzma5",
}
_MISSING = re.compile(r"error while loading shared libraries: (\S+): cannot open")
_INSTEAD = "or set MONGO_URL to a MongoDB server, 6.0 or newer"


def explain(died: ServiceDied) -> ServiceError:
    """Turn an early end into an error that says what to do.

    Args:
        died: What is known about the end.

    Returns:
        The error to raise.
    """
    missing = _MISSING.search(died.last_lines)
    if missing:
        return SharedLibraryMissing(missing_library(missing[1]))
    if died.exit_code == -signal.SIGILL:
        return ProcessorTooOld(
            "mongod needs a processor with AVX, which this machine has not. "
            "Set MONGO_URL to a MongoDB server, 6.0 or newer, on another machine."
        )
    said = complaints(died.log.read_text(errors="replace"))
    return ServiceDied("mongod", died.exit_code, said, died.log) if said else died


def missing_library(library: str) -> str:
    """Say what to do about a library of the system that `mongod` needs.

    Args:
        library: File name of the library.

    Returns:
        A sentence that names the Debian package, where it is known.
    """
    package = DEBIAN_PACKAGES.get(library)
    install = f"Install it (Debian: apt-get install {package})" if package else "Install it"
    return f"mongod needs the library {library}, which is not installed. {install}, {_INSTEAD}."


def complaints(log: str) -> str:
    """Pick the errors out of `mongod`'s log, which has a JSON document on each line.

    Args:
        log: The log.

    Returns:
        The first error in words, which the later ones follow from; empty when there is none.
    """
    errors = [entry for entry in map(_parse, log.splitlines()) if entry.get("s") in {"E", "F"}]
    if not errors:
        return ""
    details = errors[0].get("attr", {})
    return f"{errors[0]['msg']}: {details.get('error', details)}"


def _parse(line: str) -> dict[str, Any]:
    try:
        entry: dict[str, Any] = json.loads(line) if line.startswith("{") else {}
    except ValueError:
        return {}
    return entry
