"""Requests as an attacker, a broken client or plain bad luck would send them."""

import json
import math
from dataclasses import dataclass
from typing import Any

from hypothesis import strategies as st
from pydantic import ValidationError

from storycanvas.faces.contract import API
from storycanvas.faces.operations import OPERATIONS, FaceOperation, parse_operation
from storycanvas.host.page.routes import ACTIVITY_PATH, PAGE_PATHS
from tests.support.raw_http import Framing, RawRequest
from tests.system.fuzz.access import Access, basic
from tests.system.fuzz.hostile_places import Places, picture

_TEXTS = st.one_of(
    st.text(max_size=30),
    st.sampled_from(["\ud800", "\0", "\r\n", "\x1b[31m", "\u202e", "x" * 5000, "${jndi}", "';--"]),
)
_NUMBERS = st.one_of(
    st.integers(-200, 200),
    st.floats(-2, 2),
    st.sampled_from([math.nan, math.inf, -math.inf, 10**400, -(10**18), 1e308, 5e-324, -0.0]),
)
_ODD_VALUES = st.one_of(
    _TEXTS, _NUMBERS, st.none(), st.booleans(),
    st.recursive(_TEXTS | _NUMBERS, lambda inner: st.lists(inner, max_size=3)
                 | st.dictionaries(_TEXTS, inner, max_size=3), max_leaves=6),
)  # fmt: skip
_KEYS = st.sampled_from(["a", "again-1", "x" * 200, "x" * 201, "", "a b", "../a", "\xff", "a\x0bb"])
_HEADERS = st.sampled_from([
    (b"Origin", b"https://evil.example"), (b"Origin", b"http://[::"), (b"Origin", b"null"),
    (b"Authorization", b"Bearer x"), (b"Authorization", b"\xff\xfe"), (b"Authorization", b""),
    (b"Range", b"bytes=0-1"), (b"Range", b"bytes=-1"), (b"Range", b"bytes=9-1"),
    (b"Range", b"bytes=99999999999-"), (b"Range", b"lines=1-2"), (b"If-Range", b"x"),
    (b"Range", b"bytes=" + b"0-0," * 2000 + b"0-0"), (b"If-None-Match", b"*"),
    (b"If-None-Match", b'"' + b"0" * 64 + b'"'), (b"If-Modified-Since", b"yesterday"),
    (b"Expect", b"100-continue"), (b"Content-Encoding", b"gzip"), (b"Accept", b"text/html"),
    (b"X-Forwarded-For", b"127.0.0.1"), (b"X-HTTP-Method-Override", b"DELETE"),
    (b"Upgrade", b"websocket"), (b"Cookie", b"=" * 4000), (b"Long", b"x" * 20_000),
    (b"Host", b"evil.example"), (b"Host", b"["), (b"bad name", b"x"), (b"Ctl", b"a\x00b"),
    (b"Transfer-Encoding", b"gzip, chunked"), (b"Transfer-Encoding", b"chunked"),
    (b"Prefer", b"respond-async"), (b"Prefer", b'respond-async; x="' + b"," * 500),
    (b"Prefer", b"\xff=\xfe"), (b"Content-Length", b"5"), (b"Te", b"trailers"),
])  # fmt: skip
_KINDS = st.sampled_from([
    b"application/json", b"application/json; charset=utf-16", b"text/plain", b"", b"json",
    b"application/x-www-form-urlencoded", b"multipart/form-data", b"application/vnd.x+json",
    b"multipart/form-data; boundary=b", b"application/json\x0b", b"\xff",
])  # fmt: skip
_PARTS = st.sampled_from([
    b'name="file"; filename="x.png"', b'name="file"', b'name="file"; filename="../../x.png"',
    b'name="file"; filename=""', b'name="other"; filename="y"', b"", b'name="\xff\xfe"',
    b"name=file; filename*=utf-8''%ff%00", b'filename="' + b"x" * 9000 + b'"',
])  # fmt: skip
_METHODS = st.sampled_from(
    [b"GET", b"HEAD", b"PUT", b"DELETE", b"PATCH", b"OPTIONS", b"TRACE", b"CONNECT", b"post", b"X"]
)


_NO_ACCESS = Access()


def requests(
    places: Places, host: str, access: Access = _NO_ACCESS
) -> st.SearchStrategy[RawRequest]:
    """Build everything that is sent to a host.

    Args:
        places: What picture fields may hold.
        host: The host's own `HOST:PORT`, for the header that every good request has.
        access: What callers may show.
    """
    usual = Usual((b"Host", host.encode()), access)
    operations = _operations(places, usual)
    return st.one_of(
        operations,
        operations,
        operations,
        _raw(places, usual),
        _pages(usual),
        _uploads(usual),
        _gets(places, usual),
        _moves(usual),
    )


@st.composite
def own_calls(draw: st.DrawFn, places: Places) -> tuple[FaceOperation, tuple[str, ...], str]:
    """An operation, the values of its picture fields, and a key, as our own client takes them."""
    kind = draw(st.sampled_from(OPERATIONS))
    fields = {"operation_type": kind.model_fields["operation_type"].default} | _fields(draw, kind)
    try:
        operation = parse_operation(fields)
    except ValidationError:
        needed = {info.alias: 50 for info in kind.model_fields.values() if info.is_required()}
        operation = kind.model_validate(needed)
    values = st.sampled_from(places.good * 2 + places.refused + places.useless)
    pictures = tuple(draw(values) for _ in kind.pictures)
    return operation, pictures, draw(st.sampled_from(["a", "b", "c", "x" * 200]))


def _framings(*, often: Framing = Framing.LENGTH) -> st.SearchStrategy[Framing]:
    return st.sampled_from([often] * 12 + list(Framing))


@dataclass(frozen=True)
class Usual:
    """The headers of a good request."""

    host: tuple[bytes, bytes]
    access: Access


@st.composite
def _headers(draw: st.DrawFn, usual: Usual) -> tuple[tuple[bytes, bytes], ...]:
    odd = draw(st.lists(_HEADERS, max_size=2)) if draw(st.integers(0, 4)) == 0 else []
    shown = usual.access.usual()
    if draw(st.integers(0, 5)) == 0:
        shown = draw(st.sampled_from(usual.access.others()))
    return (*((usual.host,) if draw(st.integers(0, 30)) else ()), *shown, *odd)


@st.composite
def _operations(draw: st.DrawFn, places: Places, usual: Usual) -> RawRequest:
    operation = draw(st.sampled_from(OPERATIONS))
    values = st.sampled_from(places.good * 4 + places.refused + places.useless)
    named = {field: draw(values) for field in operation.pictures}
    if places.slow and draw(st.integers(0, 400)) == 0:
        named[operation.pictures[0]] = places.slow[0]
    body = _mutated(draw, json.dumps(_fields(draw, operation) | named), operation)
    headers = [*draw(_headers(usual))]
    kind = draw(_KINDS) if draw(st.integers(0, 15)) == 0 else b"application/json"
    headers.append((b"Content-Type", kind))
    if draw(st.integers(0, 3)) == 0:
        headers.append((b"Idempotency-Key", draw(_KEYS).encode("latin-1")))
    if draw(st.integers(0, 3)) == 0:
        headers.append((b"Prefer", b"respond-async"))
    whole = all(json.dumps(value).encode() in body for value in named.values())
    pictures = tuple(named.values()) if whole else ()
    target = f"{API}/{operation.path}".encode()
    return RawRequest(b"POST", target, tuple(headers), body, draw(_framings()), pictures)


def _fields(draw: st.DrawFn, operation: type[FaceOperation]) -> dict[str, Any]:
    """Choose parameters: those that are needed, some others, some of them odd."""
    fields: dict[str, Any] = {}
    for name, info in operation.model_fields.items():
        wire = info.alias or name
        if info.is_required():
            fields[wire] = draw(st.integers(0, 100))
        choice = draw(st.integers(0, 30))
        if choice == 0:
            fields[wire] = draw(_ODD_VALUES)
        elif choice == 1 and not info.is_required():
            fields[wire] = info.default
    if draw(st.integers(0, 20)) == 0:
        fields[draw(_TEXTS)] = draw(_ODD_VALUES)
    return fields


def _mutated(draw: st.DrawFn, text: str, operation: type[FaceOperation]) -> bytes:
    """Leave most bodies alone, and break the others in a way that a JSON library would not."""
    picture_field = operation.pictures[0]
    match draw(st.integers(0, 40)):
        case 0:
            text = text.replace("{", f'{{"{picture_field}": 1, ', 1)  # the same key twice
        case 1:
            text = text[: draw(st.integers(0, len(text)))]
        case 2:
            text = text.replace("}", ', "deep": ' + "[" * 50_000 + "]" * 50_000 + "}", 1)
        case 3:
            text = text.replace("}", ', "face_editor_blend": 1' + "0" * 5000 + "}", 1)
        case 4:
            return text.encode("utf-16")
        case 5:
            return b"\xef\xbb\xbf" + text.encode()
        case 6:
            cut = draw(st.integers(0, len(text)))
            return text[:cut].encode() + draw(st.binary(max_size=4)) + text[cut:].encode()
        case 7:
            text = " " * 1_100_000 + text
    return text.encode()


@st.composite
def _raw(draw: st.DrawFn, places: Places, usual: Usual) -> RawRequest:
    """Any method, any path, any bytes."""
    paths = [f"/{operation.path}" for operation in OPERATIONS]
    paths += [
        "/status",
        "/assets",
        "/assets/x",
        "/",
        "",
        "/../../etc/passwd",
        "/status/",
        "//status",
        "/operations",
        "/operations/" + "0" * 32,
        "/operations/..%2fstatus",
        "/operations/" + "x" * 3000,
        *(f"/operations/{known}" for known in places.operations * 3),
    ]
    odd = ["*", "http://evil.example/x", "/%00", "/%ff", "/" + "x" * 3000, "/openapi.json", "/docs"]
    odd += ["/metrics", "/metrics/", "/metrics?name[]=x"]
    target = draw(st.sampled_from([API + path for path in paths] + odd))
    query = draw(
        st.sampled_from(
            [
                "",
                "?x=1",
                "?wait=0.01&after=1",
                "?wait=nan",
                "?wait=1e9",
                "?after=-1",
                "?state=x",
                "?%ff=%00",
                "?" + "a&" * 2000,
                "#x",
            ]
        )
    )
    method = draw(st.sampled_from([b"POST", b"GET"]) | _METHODS)
    body = draw(st.binary(max_size=200) | st.sampled_from([b"null", b"[]", b'"x"', b"{}", b"NaN"]))
    headers = (*draw(_headers(usual)), (b"Content-Type", draw(_KINDS)))
    return RawRequest(method, (target + query).encode(), headers, body, draw(_framings()))


@st.composite
def _pages(draw: st.DrawFn, usual: Usual) -> RawRequest:
    """The operator's page, its files, and what lies beside them."""
    beside = [
        "/page", "/page/", "/docs/", "//docs", "/redoc", "/favicon.ico", "/page/passes.py",
        "/page/files/index.html", "/page/index.html", "/page/../passes.py", "/page/..%2froutes.py",
        "/page/%2e%2e/routes.py", "/page/page.js/..", "/page/page.js%00", "/page/redoc.js",
        "/page/" + "x" * 3000, "/docs/oauth2-redirect", "/openapi.json/", "/api/v1/../../docs",
    ]  # fmt: skip
    paths = [*sorted(PAGE_PATHS), ACTIVITY_PATH, *draw(st.permutations(beside))[:6]]
    headers = [*draw(_headers(usual))]
    if draw(st.booleans()) and usual.access.token:  # as a browser does
        headers = [(name, value) for name, value in headers if name != b"Authorization"]
        headers.append((b"Authorization", basic(usual.access.token)))
    site = draw(st.sampled_from([b"", b"same-origin", b"cross-site", b"\xff"]))
    headers += [(b"Sec-Fetch-Site", site)] if site else []
    method = draw(st.sampled_from([b"GET", b"GET", b"POST", b"HEAD"]) | _METHODS)
    target = draw(st.sampled_from(paths)) + draw(st.sampled_from(["", "", "?x=1", "?token=x"]))
    return RawRequest(method, target.encode(), tuple(headers), b"", draw(_framings()))


@st.composite
def _uploads(draw: st.DrawFn, usual: Usual) -> RawRequest:
    """Pictures with changed bytes, bare or in a form."""
    data = bytearray(picture(draw(st.sampled_from(["PNG", "JPEG", "WEBP", "GIF", "TIFF", "BMP"]))))
    for _ in range(draw(st.integers(0, 3))):
        data[draw(st.integers(0, len(data) - 1))] = draw(st.integers(0, 255))
    body, headers = bytes(data[: draw(st.integers(0, len(data)) | st.just(len(data)))]), []
    if draw(st.booleans()):
        kind = b"multipart/form-data; boundary=b" if draw(st.integers(0, 5)) else draw(_KINDS)
        headers = [(b"Content-Type", kind)]
        parts = draw(st.lists(_PARTS, min_size=1, max_size=3))
        framed = [b"--b\r\nContent-Disposition: form-data; %s\r\n\r\n%s\r\n" % (part, body)
                  for part in parts]  # fmt: skip
        body = b"".join(framed) + draw(st.sampled_from([b"--b--\r\n", b"--b--\r\n", b"", b"--b"]))
    target = f"{API}/assets".encode()
    return RawRequest(b"POST", target, (*draw(_headers(usual)), *headers), body, draw(_framings()))


@st.composite
def _moves(draw: st.DrawFn, usual: Usual) -> RawRequest:
    """Loading and unloading the engine, with waits and bodies that make no sense."""
    name = draw(st.sampled_from([b"load", b"unload", b"unload/", b"%00", b"load%2f.."]))
    wait = draw(st.sampled_from([b"", b"?wait=0", b"?wait=nan", b"?wait=-1", b"?wait=1&wait=x"]))
    method = draw(st.just(b"POST") | _METHODS)
    target, headers = f"{API}/engine/".encode() + name + wait, draw(_headers(usual))
    return RawRequest(method, target, headers, draw(st.binary(max_size=9)), draw(_framings()))


@st.composite
def _gets(draw: st.DrawFn, places: Places, usual: Usual) -> RawRequest:
    """Names of pictures, most of them none."""
    name = draw(st.sampled_from([
        "0" * 64 + ".png", "asset:" + "0" * 64 + ".jpg", "0" * 64 + ".exe", "0" * 63 + ".png",
        "..%2f..%2fetc%2fpasswd", "%2e%2e/%2e%2e/etc/passwd", "%00", "0" * 64 + ".png%00",
        "0" * 64 + ".png%0a", "%ff%fe", "x" * 3000, ".", "..", "%5c%5c127.0.0.1%5cx", "CON",
    ]))  # fmt: skip
    method = draw(st.sampled_from([b"GET", b"HEAD"]) | _METHODS)
    # The picture that is there stays for the requests that follow.
    if places.assets and method != b"DELETE" and draw(st.booleans()):
        name = places.assets[0]
    headers = draw(_headers(usual))
    return RawRequest(method, f"{API}/assets/{name}".encode(), headers, b"", Framing.NONE)
