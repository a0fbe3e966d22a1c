from pathlib import Path

import pytest

from storycanvas.host.engines.facefusion.process.installation import (
    Installation,
    InstallationUnusable,
)
from storycanvas.host.engines.facefusion.translation.execution import execution_options


def options(home: Path, ini: str | bytes) -> tuple[str, ...]:
    (home / "facefusion.ini").write_bytes(ini.encode() if isinstance(ini, str) else ini)
    return execution_options(Installation(home, home / "python", "3.8.1"))


@pytest.mark.parametrize(
    ("ini", "expected"),
    [
        ("", ""),
        ("[execution]\nexecution_providers =\nexecution_device_ids =\n", ""),
        ("[memory]\nvideo_memory_strategy = tolerant\n", ""),
        ("[execution]\nexecution_queue_count = 4\n", ""),
        ("[execution]\nexecution_providers =  cuda\tcpu\n", "--execution-providers cuda cpu"),
        ("[execution]\nexecution_device_ids = 0 1\n", "--execution-device-ids 0 1"),
        ("[execution]\nexecution_thread_count = 8\n", "--execution-thread-count 8"),
    ],
    ids=["empty", "empty keys", "other section", "other key", "providers", "devices", "threads"],
)
def test_what_the_operator_set_becomes_options(tmp_path: Path, ini: str, expected: str) -> None:
    assert options(tmp_path, ini) == tuple(expected.split())


def test_without_a_file_there_are_no_options(tmp_path: Path) -> None:
    assert execution_options(Installation(tmp_path, tmp_path / "python", "3.8.1")) == ()


@pytest.mark.parametrize(
    ("ini", "message"),
    [
        ("execution_providers = cuda\n", "cannot be read"),
        ("[execution]\nexecution_providers = cuda\n[execution]\n", "cannot be read"),
        (b"[execution]\nexecution_providers = \xff\n", "cannot be read"),
        ("[execution]\nexecution_providers = %(gpu)s\n", "cannot be read"),
        ("[execution]\nexecution_providers = gpu\n", "is gpu: write some of cuda"),
        ("[execution]\nexecution_device_ids = first\n", "is first: write whole numbers"),
        ("[execution]\nexecution_thread_count = -1\n", "is -1: write whole numbers"),
    ],
    ids=["no section", "twice", "not text", "interpolation", "provider", "device", "threads"],
)
def test_an_unusable_file_is_refused(tmp_path: Path, ini: str | bytes, message: str) -> None:
    with pytest.raises(InstallationUnusable) as caught:
        options(tmp_path, ini)
    assert message in str(caught.value)
    assert str(tmp_path / "facefusion.ini") in str(caught.value)
