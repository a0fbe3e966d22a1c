import os
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from storycanvas.host.sources.allowed_folders import (
    AllowedFolder,
    AllowedFolders,
    OutsideAllowedFoldersError,
    open_without_links,
)


@pytest.fixture
def root(tmp_path: Path) -> Path:
    folder = tmp_path / "real" / "allowed"
    (folder / "sub").mkdir(parents=True)
    (folder / "sub" / "face.png").write_text("inside")
    (tmp_path / "outside").mkdir()
    (tmp_path / "outside" / "face.png").write_text("outside")
    return folder


def content(descriptor: int) -> str:
    with os.fdopen(descriptor) as file:
        return file.read()


def test_a_folder_can_be_named_as_the_operator_wrote_it(root: Path, tmp_path: Path) -> None:
    link = tmp_path / "link"
    link.symlink_to(root)
    folders = AllowedFolders([AllowedFolder.parse(link)])
    assert content(folders.open(link / "sub" / "face.png")) == "inside"
    assert content(folders.open(root / "sub" / "face.png")) == "inside"


@pytest.mark.parametrize(
    "way", ["../../outside/face.png", "sub/../../../outside/face.png", "out/face.png", "gone/../.."]
)
def test_no_way_leads_out(root: Path, tmp_path: Path, way: str) -> None:
    (root / "out").symlink_to(tmp_path / "outside")
    with pytest.raises(OutsideAllowedFoldersError):
        AllowedFolders([AllowedFolder.parse(root)]).open(root / way)


def test_a_folder_whose_name_begins_alike_is_outside(root: Path) -> None:
    sibling = root.with_name("allowed-too")
    sibling.mkdir()
    (sibling / "face.png").touch()
    with pytest.raises(OutsideAllowedFoldersError):
        AllowedFolders([AllowedFolder.parse(root)]).open(sibling / "face.png")


@pytest.mark.parametrize("part", ["sub", "sub/face.png"])
def test_a_link_that_came_after_the_check_is_not_followed(
    root: Path, tmp_path: Path, part: str
) -> None:
    checked = root / "sub" / "face.png"
    (root / part).rename(tmp_path / "away")
    (root / part).symlink_to(tmp_path / "outside" / Path(part).relative_to("sub"))
    assert checked.read_text() == "outside"
    with pytest.raises(OSError, match=r"symbolic links|Not a directory"):
        open_without_links(root, checked)


@pytest.fixture
def swapping(root: Path, tmp_path: Path) -> Iterator[None]:
    """Puts a link to the outside in the place of a folder, and the folder back, without end."""
    stop = threading.Event()

    def swap() -> None:
        while not stop.is_set():
            (root / "sub").rename(tmp_path / "away")
            (root / "sub").symlink_to(tmp_path / "outside")
            (root / "sub").unlink()
            (tmp_path / "away").rename(root / "sub")

    thread = threading.Thread(target=swap)
    thread.start()
    yield
    stop.set()
    thread.join()


@pytest.mark.usefixtures("swapping")
def test_swapping_folders_meanwhile_gives_nothing_from_outside(root: Path) -> None:
    folders, inside, refused = AllowedFolders([AllowedFolder.parse(root)]), 0, 0
    # On a busy machine the other thread may leave the link in place for all of 3,000 tries.
    while inside + refused < 3000 or not inside or not refused:
        try:
            text = content(folders.open(root / "sub" / "face.png"))
        except (OSError, OutsideAllowedFoldersError):
            refused += 1
        else:
            inside += 1
            assert text == "inside"


def open_descriptors() -> int:
    return len(list(Path("/dev/fd").iterdir()))


def test_no_descriptor_is_left_open(root: Path) -> None:
    before = open_descriptors()
    folders = AllowedFolders([AllowedFolder.parse(root)])
    for way in ("sub/face.png/x", "sub/gone", "gone/face.png"):
        with pytest.raises(OSError, match=r"Not a directory|No such file"):
            folders.open(root / way)
    assert open_descriptors() == before
