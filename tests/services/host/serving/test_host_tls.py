"""A host that speaks HTTPS with certificate files."""

import shutil
import socket
import ssl
import subprocess
import time
from pathlib import Path

import httpx
import pytest
from pydantic import ValidationError

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.host import serving
from storycanvas.host.command_line import read_settings, refusal
from storycanvas.host.connections import HANDSHAKE_SECONDS
from tests.support.host.started_host import wait_until
from tests.support.host.threaded_host import OpenHost

pytestmark = pytest.mark.skipif(shutil.which("openssl") is None, reason="openssl makes the files")

Files = tuple[Path, Path]


def make_certificate(folder: Path, name: str = "host") -> Files:
    certificate, key = folder / f"{name}.crt", folder / f"{name}.key"
    subprocess.run(
        [
            "openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1",
            "-nodes", "-days", "2", "-subj", f"/CN={name}", "-keyout", key, "-out", certificate,
            "-addext", "subjectAltName=IP:127.0.0.1",
        ],
        check=True, capture_output=True,
    )  # fmt: skip
    return certificate, key


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Files:
    return make_certificate(tmp_path_factory.mktemp("tls"))


def presented(port: int) -> str:
    return ssl.get_server_certificate(("127.0.0.1", port), timeout=10)


def test_a_host_with_a_certificate_speaks_https_alone(open_host: OpenHost, files: Files) -> None:
    certificate, key = files
    host = open_host(tls_cert=certificate, tls_key=key)
    trusting = ssl.create_default_context(cafile=certificate)
    status = httpx.get(f"https://127.0.0.1:{host.port}/api/v1/status", verify=trusting)
    assert status.json()["status"] == "ok"
    with pytest.raises(httpx.TransportError):
        host.client.get("status")


def test_the_clients_of_the_pipelines_speak_to_it(
    open_host: OpenHost, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    certificate, key = files
    host = open_host(tls_cert=certificate, tls_key=key)
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate))
    with FaceHostClient(f"https://127.0.0.1:{host.port}") as client:
        assert client.status().status == "ok"


@pytest.mark.parametrize(
    "arguments",
    [
        ["--tls-cert", "{0}"],
        ["--tls-key", "{1}"],
        ["--tls-cert", "{1}", "--tls-key", "{0}"],
        ["--tls-cert", "/nowhere", "--tls-key", "{1}"],
    ],
    ids=["no key", "no certificate", "exchanged", "not there"],
)
def test_certificates_that_cannot_be_used_are_refused_at_the_start(
    files: Files, arguments: list[str]
) -> None:
    with pytest.raises(ValidationError) as refused:
        read_settings([argument.format(*files) for argument in arguments], {})
    assert "--tls-cert" in refusal(refused.value)


def test_a_renewed_certificate_is_used_without_a_restart(
    open_host: OpenHost, files: Files, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(serving, "_TICKS_A_MINUTE", 1)
    certificate, key = (Path(shutil.copy(file, tmp_path)) for file in files)
    host = open_host(tls_cert=certificate, tls_key=key)
    first = presented(host.port)
    renewed, new_key = make_certificate(tmp_path, "renewed")

    renewed.replace(certificate)  # for a moment they do not belong together
    time.sleep(0.3)
    assert presented(host.port) == first

    new_key.replace(key)
    wait_until(lambda: presented(host.port) == certificate.read_text())


@pytest.mark.timeout(60)
def test_a_handshake_that_does_not_begin_is_given_up(
    open_host: OpenHost, files: Files, monkeypatch: pytest.MonkeyPatch
) -> None:
    assert HANDSHAKE_SECONDS <= 10
    monkeypatch.setattr("storycanvas.host.connections.HANDSHAKE_SECONDS", 0.3)
    certificate, key = files
    host = open_host(tls_cert=certificate, tls_key=key)
    with socket.create_connection(("127.0.0.1", host.port), timeout=5) as connection:
        assert connection.recv(1) == b""
