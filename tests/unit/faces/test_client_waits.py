"""How long the client of a face host waits for what."""

import pytest

from storycanvas.faces.client.timeouts import ANSWER_SECONDS, OPERATION_SECONDS, Timeouts
from storycanvas.faces.operations import OPERATIONS


@pytest.mark.parametrize("path", [operation.path for operation in OPERATIONS])
def test_every_operation_has_a_longest_wait(path: str) -> None:
    looks = path in {"detect-faces", "mask-face"}

    assert (ANSWER_SECONDS[path] < OPERATION_SECONDS) == looks


def test_an_unknown_path_waits_as_long_as_an_operation() -> None:
    assert Timeouts(answers={}).answer("of-a-newer-host") == OPERATION_SECONDS
