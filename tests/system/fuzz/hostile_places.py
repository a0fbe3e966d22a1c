"""The files around a host under attack: what it may read, what it must not, and ways there."""

import dataclasses
import io
import os
from pathlib import Path

from PIL import Image

from tests.system.fuzz.strange_server import PAGES

LONG_AGO = 1_000_000_000
_LINKS = {
    "in.png": "face.png",
    "out.png": "../canary.png",
    "out": "..",
    "proc": "/proc/self",
    "zero.png": "/dev/zero",
    "loop": "loop",
}


def picture(kind: str = "PNG", size: tuple[int, int] = (8, 8)) -> bytes:
    """Make a small picture without a face."""
    buffer = io.BytesIO()
    Image.new("RGB", size, "red").save(buffer, kind)
    return buffer.getvalue()


@dataclasses.dataclass(frozen=True)
class Places:
    """Values of picture fields, by what a host may do with them.

    Attributes:
        good: Lead to a picture that may be read.
        refused: Must not be looked at: the answer is `bad_field`, whatever is there.
        useless: Are allowed, and no picture is there, or none that can be read.
        slow: Take as long as a download may.
        canary: A picture outside of the allowed folder.
        assets: Names of pictures that were uploaded.
        operations: Ids of operations that were submitted.
    """

    good: tuple[str, ...]
    refused: tuple[str, ...]
    useless: tuple[str, ...]
    slow: tuple[str, ...]
    canary: Path
    assets: tuple[str, ...] = ()
    operations: tuple[str, ...] = ()

    def with_asset(self, name: str) -> "Places":
        """Take in a picture that the host keeps, `asset:<sha256>.<ext>`."""
        return dataclasses.replace(self, good=(*self.good, name), assets=(*self.assets, name))

    def with_operation(self, operation_id: str) -> "Places":
        """Take in an operation that the host knows."""
        return dataclasses.replace(self, operations=(*self.operations, operation_id))

    def canary_was_read(self) -> bool:
        """Tell whether the canary was read, where the file system keeps such times."""
        return self.canary.stat().st_atime > LONG_AGO

    def set_trap(self) -> None:
        """Forget that the canary was read, for example by the test itself."""
        os.utime(self.canary, (LONG_AGO, self.canary.stat().st_mtime))


def make_places(folder: Path, server: str, elsewhere: str) -> Places:
    """Lay out the files.

    Args:
        folder: Is filled: `folder / "allowed"` is the one that the host shall allow.
        server: `HOST:PORT` of the allowed picture server.
        elsewhere: `HOST:PORT` of a server that is not allowed.
    """
    allowed, canary = folder / "allowed", folder / "canary.png"
    allowed.mkdir(parents=True)
    canary.write_bytes(picture())
    for kind in ("png", "jpeg", "webp", "bmp", "gif", "tiff"):
        (allowed / f"face.{kind}").write_bytes(picture(kind.upper()))
    (allowed / "text.png").write_bytes(b"text")
    (allowed / "half.png").write_bytes(picture(size=(64, 64))[:90])
    os.mkfifo(allowed / "pipe.png")
    for name, target in _LINKS.items():
        (allowed / name).symlink_to(target)
    return Places(
        good=(
            *map(str, allowed.glob("face.*")),
            f"{allowed}/in.png",
            f"{allowed}/./x/../face.png",
            f"http://{server}/good.png",
        ),
        refused=_refused(allowed, canary, server, elsewhere),
        useless=(
            str(allowed),
            f"{allowed}/pipe.png",
            f"{allowed}/missing.png",
            f"{allowed}/loop/x.png",
            f"{allowed}/text.png",
            f"{allowed}/half.png",
            f"{allowed}/face.png/x",
            f"{allowed}/{'x' * 300}",
            f"{allowed}/%2e%2e/canary.png",
            f"{allowed}/..\\canary.png",
            f"http://{server}/moved",
            *(f"http://{server}{path}" for path in PAGES if path != "/drip"),
        ),
        slow=(f"http://{server}/drip",),
        canary=canary,
    )


def _refused(allowed: Path, canary: Path, server: str, elsewhere: str) -> tuple[str, ...]:
    port = server.rpartition(":")[2]
    paths = (
        str(canary), f"{canary}.missing", f"{allowed}/../canary.png", f"{allowed}/out.png",
        f"{allowed}/out/canary.png", f"{allowed}/proc/environ", f"{allowed}/proc/root{canary}",
        f"{allowed}/zero.png", f"{allowed}/x/../../canary.png", f"{allowed}-sibling/face.png",
        f"/proc/self/root{allowed}/face.png", "/proc/self/environ", "/proc/self/fd/0",
        "/dev/zero", "/dev/stdin", "/dev/tty", "/etc/passwd", "/", f"//{canary}", "/" + "../" * 900,
        f"file://{canary}", f"FILE://{allowed}/face.png", f"{allowed}/face.png\0", f"\0{allowed}",
        "\\\\127.0.0.1\\share\\x.png", "//127.0.0.1/share/x.png", "C:\\Windows\\win.ini", "NUL",
        "~/x.png", "face.png", "", " ", "asset:", "asset:../canary.png", f"asset:{canary}",
        f"asset:{'0' * 64}.exe", "/" + "x" * 5000, "data:image/png;base64,AAAA", "\ud7ff\n\r\t",
    )  # fmt: skip
    urls = (
        f"http://{elsewhere}/good.png", f"https://{elsewhere}/", f"http://x@{server}/good.png",
        f"http://{server}@{elsewhere}/good.png",
        f"http://localhost:{port}/good.png", f"http://2130706433:{port}/good.png",
        f"http://0x7f.1:{port}/good.png", f"http://[::ffff:127.0.0.1]:{port}/good.png",
        f"http://127.0.0.1:{port}0/good.png", "http://", "http://[::", "https://\u2028/",
        f"http:\\\\{elsewhere}\\good.png", f"http:///{server}/good.png", "http://127.0.0.1:x/",
        f"ftp://{server}/good.png", f"gopher://{elsewhere}/_", f"http+unix://{canary}",
    )  # fmt: skip
    return paths + urls
