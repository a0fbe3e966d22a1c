"""The provenance in an output picture: that it was edited, how, from what and by which engine.

Two forms in one PNG: our own JSON text chunk with everything, and an XMP packet with the IPTC
property `DigitalSourceType`, which other programs read to mark AI edits.
"""

import io
import json
from collections.abc import Sequence
from typing import Any

from PIL import Image, PngImagePlugin

from storycanvas.faces.contract import OperationAnswer
from storycanvas.faces.operations import FaceOperation
from storycanvas.faces.pictures.reading import Picture

CHUNK = "storycanvas:provenance"
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/{}"
_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 Iptc4xmpExt:DigitalSourceType="{source_type}"/></rdf:RDF></x:xmpmeta><?xpacket end="w"?>"""


def provenance(
    operation: FaceOperation, input_hashes: Sequence[str], answer: OperationAnswer
) -> dict[str, Any]:
    """Collect what an output's provenance states.

    Args:
        operation: What was done.
        input_hashes: Pixel hashes of the inputs.
        answer: The host's answer; its time is used, so that a repeated recording is the same.

    Returns:
        A mapping that JSON can hold; what the engine does not report is left out.
    """
    parameters = operation.model_dump(mode="json", exclude_none=True)
    reported = {"models": list(answer.models), "used": answer.used}
    return {
        "ai_edit": True,
        "operation": parameters.pop("operation_type"),
        "parameters": parameters,
        "input_sha256": list(input_hashes),
        "engine": answer.engine,
        "engine_version": answer.engine_version,
        "created_at": answer.completed_at.isoformat(),
        **{name: value for name, value in reported.items() if value},
    }


def with_provenance(picture: Picture, statement: dict[str, Any]) -> bytes:
    """Write a statement of `provenance` into a PNG file with the same pixels and ICC profile."""
    trained = statement["engine"] != "preview"
    kind = "compositeWithTrainedAlgorithmicMedia" if trained else "algorithmicallyEnhanced"
    chunks = PngImagePlugin.PngInfo()
    chunks.add_itxt(CHUNK, json.dumps(statement, ensure_ascii=False, sort_keys=True))
    chunks.add_itxt("XML:com.adobe.xmp", _XMP.format(source_type=_SOURCE_TYPE.format(kind)))
    buffer = io.BytesIO()
    with Image.open(io.BytesIO(picture.png)) as image:
        profile = image.info.get("icc_profile")
        image.save(buffer, format="PNG", pnginfo=chunks, icc_profile=profile)
    return buffer.getvalue()


def read_provenance(data: bytes) -> dict[str, Any] | None:
    """Read the statement back from a PNG file; None where there is none."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        text = image.info.get(CHUNK)
    return json.loads(text) if isinstance(text, str) else None
