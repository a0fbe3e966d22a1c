"""The part of the host's environment that FaceFusion's processes get.

FaceFusion is another project's code with many packages behind it, so it gets what it needs to run
and nothing that could be a secret: not the host's token, no keys, no passwords.
"""

from collections.abc import Mapping
from types import MappingProxyType

from storycanvas.net.redact import without_user

_NAMES = frozenset(
    {
        "PATH",
        "HOME",
        "LANG",
        "LANGUAGE",
        "TZ",
        "TEMP",
        "TMP",
        "TMPDIR",
        "GLIBC_TUNABLES",
        "LD_LIBRARY_PATH",
        "XDG_CACHE_HOME",
        "CONDA_PREFIX",  # FaceFusion finds the GPU's libraries of a conda environment by it
        "SSL_CERT_FILE",
        "SSL_CERT_DIR",
        "CURL_CA_BUNDLE",
        # Windows
        "USERPROFILE",
        "LOCALAPPDATA",
        "APPDATA",
        "PATHEXT",
        "SYSTEMROOT",
        "SYSTEMDRIVE",
        "WINDIR",
        "COMSPEC",
        "PROGRAMDATA",
        "PROGRAMFILES",
        "NUMBER_OF_PROCESSORS",
        "PROCESSOR_ARCHITECTURE",
    }
)
_BEGINNINGS = (
    "LC_",
    "DYLD_",
    "CUDA_",
    "CUDNN_",
    "NVIDIA_",
    "TENSORRT_",
    "HIP_",
    "ROCM_",
    "ROCR_",
    "HSA_",
    "MIGRAPHX_",
    "OPENVINO_",
    "ORT_",
    "OMP_",
    "KMP_",
    "MKL_",
    "OPENBLAS_",
    "MALLOC_",
)
_SECRETS = ("TOKEN", "KEY", "SECRET", "PASSWORD", "PASSWD", "CREDENTIAL")
_PROXIES = frozenset({"HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"})
_NOWHERE = "http://127.0.0.1:9"
NO_DOWNLOADS = MappingProxyType(
    # Of http_proxy curl reads the lower case only.
    dict.fromkeys(("HTTPS_PROXY", "https_proxy", "http_proxy", "ALL_PROXY", "all_proxy"), _NOWHERE)
)
"""Leads FaceFusion's curl to a port of this machine where nothing listens, so that it fails at
once: each run of FaceFusion 3.8.1 asks the servers of its weights, also with all weights there,
and waits up to 15 s where a firewall drops packets (docs/facefusion.md)."""
HUGE_PAGES = MappingProxyType({"GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"})
"""Has glibc 2.35 and newer ask Linux for huge pages: FaceFusion 3.8.1 reads a picture about eight
times, at 24 megapixels into 18,000 small pages each time. Other C libraries ignore it."""


def facefusion_environment(environment: Mapping[str, str], *, downloads: bool) -> dict[str, str]:
    """Choose the environment of a FaceFusion process.

    Args:
        environment: The host's own.
        downloads: Whether FaceFusion may load weights from the internet. It then gets the
            operator's proxies, too, but without a user name and password in them: these would
            stand in the environment of every process it starts. Behind a proxy that wants them,
            run FaceFusion's `force-download` by hand once.
    """
    allowed = {name: value for name, value in environment.items() if _is_allowed(name.upper())}
    chosen = {**HUGE_PAGES, **allowed, "PYTHONUNBUFFERED": "1"}
    if not downloads:
        return chosen | NO_DOWNLOADS
    proxies = {
        name: without_user(value) for name, value in environment.items() if name.upper() in _PROXIES
    }
    unproxied = {name: text for name, text in environment.items() if name.upper() == "NO_PROXY"}
    return chosen | proxies | unproxied


def _is_allowed(name: str) -> bool:
    if any(word in name for word in _SECRETS):
        return False
    return name in _NAMES or name.startswith(_BEGINNINGS)
