"""Ask a service on loopback whether it serves."""

import json
import urllib.error
import urllib.request
from typing import Any

TIMEOUT_SECONDS = 5.0

# A proxy from the environment must not come between this machine and itself.
_direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))


def ask(url: str, body: dict[str, Any] | None = None) -> Any:  # noqa: ANN401 - JSON is any value
    """Ask for a JSON document.

    Args:
        url: An http address on loopback.
        body: What to post; without it the document is got.

    Returns:
        The document; None when nothing answers yet, or not with success.
    """
    data = None if body is None else json.dumps(body).encode()
    request = urllib.request.Request(  # noqa: S310 - the callers' addresses are http on loopback
        url, data=data, headers={"Content-Type": "application/json"}
    )
    try:
        with _direct.open(request, timeout=TIMEOUT_SECONDS) as answer:
            return json.load(answer)
    except (urllib.error.URLError, ConnectionError, TimeoutError):
        return None
