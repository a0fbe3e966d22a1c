"""Write docs/host-api.json, the contract as OpenAPI.

The command is `python -m storycanvas.host.api.document [--check]`.
"""

import argparse
import json
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

from storycanvas.host.app import create_app
from storycanvas.host.engines.preview import PreviewEngine
from storycanvas.host.settings import HostSettings

DOCUMENT = Path(__file__).resolve().parents[3] / "docs" / "host-api.json"
COMMAND = "python -m storycanvas.host.api.document"


def api_document() -> str:
    """Make the document; it is the same for every engine."""
    with tempfile.TemporaryDirectory() as folder:
        app = create_app(HostSettings(data_dir=Path(folder)), PreviewEngine())
    return json.dumps(app.openapi(), indent=2, ensure_ascii=False) + "\n"


def main(arguments: Sequence[str] | None = None) -> int:
    """Write the document, or check whether it is stale."""
    parser = argparse.ArgumentParser(prog=COMMAND, description=__doc__)
    parser.add_argument("--check", action="store_true", help="exit with 1 when it is stale")
    if not parser.parse_args(arguments).check:
        DOCUMENT.write_text(api_document(), encoding="utf-8")
        return 0
    if DOCUMENT.exists() and DOCUMENT.read_text(encoding="utf-8") == api_document():
        return 0
    sys.stdout.write(f"{DOCUMENT.name} is stale; run {COMMAND}.\n")
    return 1


if __name__ == "__main__":
    sys.exit(main())
