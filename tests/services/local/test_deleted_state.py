"""A state directory that a person deletes while its services run."""

import shutil
from pathlib import Path

import pytest

from deployments.local_stack import down, status
from storycanvas.services.lost import end_lost, lost_services
from storycanvas.services.picture_server import PictureServer
from storycanvas.services.process import is_running
from storycanvas.services.record import Record
from storycanvas.services.shared import acquire


def kept(state_dir: Path) -> Record:
    """Start the smallest service of the stack, and leave it running."""
    with acquire(PictureServer(store=state_dir.as_uri()), state_dir) as lease:
        lease.keep()
    return lease.record


def test_services_whose_files_were_deleted_are_named_and_ended(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    state_dir = tmp_path / ".storycanvas"
    record = kept(state_dir)
    shutil.rmtree(state_dir)

    status(state_dir)
    sentence = f"Running although their files in {state_dir} were deleted: picture_server. "
    assert capsys.readouterr().out == f"{sentence}End them with: make down\n"

    down(state_dir)
    assert capsys.readouterr().out == "picture_server, whose files were deleted: ended\n"
    assert not is_running(record.identity)

    down(state_dir)
    assert capsys.readouterr().out == f"Nothing runs for {state_dir}.\n"


def test_only_what_has_lost_its_note_is_ended(tmp_path: Path) -> None:
    lost = kept(tmp_path)
    shutil.rmtree(tmp_path / "picture_server")
    noted = kept(tmp_path)

    assert end_lost([PictureServer.name], tmp_path) == [PictureServer.name]

    assert not is_running(lost.identity)
    assert is_running(noted.identity)
    assert lost_services([PictureServer.name], tmp_path) == []
    down(tmp_path)
    assert not is_running(noted.identity)
