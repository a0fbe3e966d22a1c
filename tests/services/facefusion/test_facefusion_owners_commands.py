"""StoryCanvas's own command lines work as written, with another address and path."""

import json
import subprocess

from tests.support.facefusion.driven_host import DrivenHost
from tests.support.facefusion.made_pictures import plain

STATUS = "curl ADDRESS/api/v1/status"
ENHANCE = r"""
curl -X POST ADDRESS/api/v1/enhance-face \
  -H "Content-Type: application/json" \
  -d '{"source_path": "/path/test.jpg", "face_enhancer_model": "gfpgan_1.4"}'
"""


def answer(command: str, host: DrivenHost) -> dict[str, object]:
    """Run a command line against a host."""
    written = command.replace("ADDRESS", host.url).replace("/path", str(host.pictures))
    ended = subprocess.run(
        ["sh", "-c", written], capture_output=True, text=True, check=True, timeout=60
    )
    fields: dict[str, object] = json.loads(ended.stdout)
    return fields


def test_the_owners_question_for_the_status_is_answered(resident_host: DrivenHost) -> None:
    resident_host.ready()
    assert answer(STATUS, resident_host)["status"] == "ok"


def test_the_owners_enhancement_is_done(driven_host: DrivenHost) -> None:
    (driven_host.pictures / "test.jpg").write_bytes(plain())
    fields = answer(ENHANCE, driven_host)
    assert fields["success"] is True
    assert fields["faces_detected"] == 1
    assert driven_host.http.get(f"assets/{fields['output_path']}").status_code == 200
