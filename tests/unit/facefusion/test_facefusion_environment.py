from pathlib import Path

import pytest

from storycanvas.host.engines.facefusion.process.environment import (
    HUGE_PAGES,
    facefusion_environment,
)
from storycanvas.host.engines.facefusion.process.installation import (
    Installation,
    InstallationUnusable,
)
from storycanvas.host.engines.facefusion.translation.execution import execution_options

NOWHERE = "http://127.0.0.1:9"


@pytest.mark.parametrize(
    "name",
    [
        "PATH", "HOME", "USERPROFILE", "SystemRoot", "SYSTEMDRIVE", "windir", "ComSpec",
        "TEMP", "TMP", "TMPDIR", "LANG", "LC_ALL", "TZ", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH",
        "CUDA_VISIBLE_DEVICES", "NVIDIA_VISIBLE_DEVICES", "HIP_VISIBLE_DEVICES", "ROCM_PATH",
        "HSA_OVERRIDE_GFX_VERSION", "ORT_TENSORRT_FP16_ENABLE", "OMP_NUM_THREADS",
        "MKL_NUM_THREADS", "OPENBLAS_NUM_THREADS", "XDG_CACHE_HOME", "CONDA_PREFIX",
        "GLIBC_TUNABLES",
    ],
)  # fmt: skip
def test_what_facefusion_needs_reaches_it(name: str) -> None:
    assert facefusion_environment({name: "x"}, downloads=False)[name] == "x"


@pytest.mark.parametrize(
    "name",
    [
        "FACEFUSION_TOKEN", "MONGO_URL", "AWS_SECRET_ACCESS_KEY", "NVIDIA_API_KEY", "ORT_TOKEN",
        "CUDA_PASSWORD", "MKL_SECRET", "lc_credentials", "PYTHONPATH", "PYTHONSTARTUP",
        "LD_PRELOAD", "FTP_PROXY", "CURL_HOME", "path_key",
    ],
)  # fmt: skip
@pytest.mark.parametrize("downloads", [True, False], ids=["downloads", "no downloads"])
def test_nothing_else_does(name: str, downloads: bool) -> None:
    assert name not in facefusion_environment({name: "x"}, downloads=downloads)


@pytest.mark.parametrize("name", ["HTTPS_PROXY", "https_proxy", "http_proxy", "ALL_PROXY"])
def test_without_downloads_every_proxy_leads_nowhere(name: str) -> None:
    own = {name: "http://proxy.example:3128", "NO_PROXY": "*", "no_proxy": "*"}
    chosen = facefusion_environment(own, downloads=False)
    assert chosen[name] == NOWHERE
    assert not {"NO_PROXY", "no_proxy"} & chosen.keys()


def test_with_downloads_no_proxy_is_set() -> None:
    assert facefusion_environment({"PATH": "/bin"}, downloads=True) == {
        "PATH": "/bin",
        "PYTHONUNBUFFERED": "1",
        **HUGE_PAGES,
    }


@pytest.mark.parametrize(
    ("proxy", "passed"),
    [
        ("http://proxy.example:3128", "http://proxy.example:3128"),
        ("proxy.example:3128", "proxy.example:3128"),
        ("http://user:made-up@proxy.example:3128", "http://proxy.example:3128"),
        ("user:made-up@proxy.example:3128", "proxy.example:3128"),
        ("socks5h://user:made@up/?#@proxy.example/", "socks5h://proxy.example/"),
        ("http://user:made://up@proxy.example", "http://proxy.example"),
    ],
)
def test_with_downloads_the_operators_proxy_passes_without_its_password(
    proxy: str, passed: str
) -> None:
    own = {"HTTPS_PROXY": proxy, "all_proxy": proxy, "no_proxy": "127.0.0.1"}
    chosen = facefusion_environment(own, downloads=True)
    assert chosen == {
        "HTTPS_PROXY": passed,
        "all_proxy": passed,
        "no_proxy": "127.0.0.1",
        "PYTHONUNBUFFERED": "1",
        **HUGE_PAGES,
    }


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
