"""Pictures are sent whole, whatever part of them a request asks for."""

from starlette.types import Scope


def whole_file(scope: Scope) -> Scope:
    """Leave out the header `Range`.

    A server may ignore it (RFC 9110, 14.2), and a range that cannot be read would be refused by
    Starlette in a form that is not the contract's.

    Args:
        scope: Of a request for a file.
    """
    return {**scope, "headers": [pair for pair in scope["headers"] if pair[0] != b"range"]}
