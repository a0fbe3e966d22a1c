"""What a command prints of a face flow's report."""

from datetime import UTC, datetime
from pathlib import Path

import pytest

from deployments.run_flow import show_face_report
from storycanvas.faces.pictures.image_store import Category, ImageStore
from storycanvas.faces.reports.steps import FaceRunReport

NOW = datetime(2026, 11, 21, tzinfo=UTC)


def report(url: str, path: str) -> FaceRunReport:
    return FaceRunReport(
        flow="age-progression",
        character_id="mira",
        engine="preview 1",
        host="http://127.0.0.1:9002",
        steps=(),
        contact_sheet=url,
        contact_sheet_path=path,
    )


@pytest.mark.parametrize("base", [None, "http://127.0.0.1:9003"])
def test_the_sheet_of_a_local_store_is_named_by_its_file(
    tmp_path: Path,
    base: str | None,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    store = ImageStore((tmp_path / "images").as_uri(), base)
    sheet = store.put(b"sheet", Category.CONTACT_SHEET, "jpg", NOW)
    monkeypatch.setenv("IMAGE_STORE", store.url)
    monkeypatch.chdir(tmp_path)

    show_face_report(report(sheet.url, sheet.path))

    assert f"contact sheet: images/{sheet.path}\n" in capsys.readouterr().out


def test_a_sheet_that_lies_elsewhere_is_named_by_its_address(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("IMAGE_STORE", (tmp_path / "images").as_uri())

    show_face_report(report("https://app.example/sheet.jpg", "s3/contact_sheet/sheet.jpg"))

    assert "contact sheet: https://app.example/sheet.jpg\n" in capsys.readouterr().out
