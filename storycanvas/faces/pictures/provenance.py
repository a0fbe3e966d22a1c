"""The provenance in an output picture: that it was edited, how, from what and by which engine.

Two forms in one file: our own JSON with everything, and the IPTC property `DigitalSourceType` in an
XMP packet, which other programs read to mark AI edits. The JSON is a text chunk of a PNG file, and
in the packet of a JPEG or WebP file.
"""

import io
import json
import re
from collections.abc import Sequence
from typing import Any
from xml.sax.saxutils import escape, unescape

from PIL import Image

from storycanvas.faces.contract import OperationAnswer
from storycanvas.faces.operations import FaceOperation
from storycanvas.faces.pictures.png_files import text_chunk, with_chunks, without_texts
from storycanvas.faces.pictures.reading import Picture
from storycanvas.faces.pictures.xmp_files import with_xmp, without_xmp

CHUNK = "storycanvas:provenance"
XMP_CHUNK = "XML:com.adobe.xmp"
_SOURCE_TYPE = "http://cv.iptc.org/newscodes/digitalsourcetype/{}"
_XMP = """<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
<rdf:Description rdf:about="" xmlns:Iptc4xmpExt="http://iptc.org/std/Iptc4xmpExt/2008-02-29/"
 Iptc4xmpExt:DigitalSourceType="{source_type}"{statement}/></rdf:RDF>\
</x:xmpmeta><?xpacket end="w"?>"""
_STATEMENT = """
 xmlns:storycanvas="urn:storycanvas:provenance" storycanvas:provenance="{}\""""
_QUOTE = {'"': "&quot;"}
_STATED = re.compile(r'\sstorycanvas:provenance="([^"]*)"')


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
    """Write a statement of `provenance` into a picture's file, whose pixels stay as they are."""
    trained = statement["engine"] != "preview"
    kind = "compositeWithTrainedAlgorithmicMedia" if trained else "algorithmicallyEnhanced"
    text = json.dumps(statement, ensure_ascii=False, sort_keys=True)
    source_type = _SOURCE_TYPE.format(kind)
    if picture.extension == "png":
        xmp = _XMP.format(source_type=source_type, statement="")
        return with_chunks(picture.file, [text_chunk(CHUNK, text), text_chunk(XMP_CHUNK, xmp)])
    stated = _STATEMENT.format(escape(text, _QUOTE))
    packet = _XMP.format(source_type=source_type, statement=stated).encode()
    return with_xmp(picture.file, picture.extension, packet, (picture.width, picture.height))


def without_provenance(file: bytes, extension: str = "png") -> bytes:
    """Take the statement out of a file: what `with_provenance` was given, byte for byte."""
    if extension == "png":
        return without_texts(file, (CHUNK, XMP_CHUNK))
    return without_xmp(file, extension)


def read_provenance(data: bytes) -> dict[str, Any] | None:
    """Read the statement back from a PNG, JPEG or WebP file; None where there is none."""
    with Image.open(io.BytesIO(data)) as image:
        image.load()
        text, packet = image.info.get(CHUNK), image.info.get("xmp", b"")
    stated = _STATED.search(packet.decode("utf-8", "replace"))
    if text is None and stated:
        text = unescape(stated[1], {entity: sign for sign, entity in _QUOTE.items()})
    return json.loads(text) if isinstance(text, str) else None
