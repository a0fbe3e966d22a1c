"""An S3 server on loopback; `python -m tests.support.s3 PORT` is its program.

It does one request after the other, so that of two conditional writes one comes first, as in S3.
"""

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import fsspec
import httpx
import pytest

from storycanvas.services.local_service import LocalService
from storycanvas.services.ports import LOOPBACK, is_free
from storycanvas.services.process import CODE, Program
from storycanvas.services.record import Record

KEY, SECRET = "AKIAHUNTER2", "hunter2-secret"
ENVIRONMENT = {
    "AWS_ACCESS_KEY_ID": KEY,
    "AWS_SECRET_ACCESS_KEY": SECRET,
    "AWS_DEFAULT_REGION": "us-east-1",
    # Nothing of this machine, and no server that gives credentials out, is asked.
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": LOOPBACK,
}


class S3Server(LocalService):
    """Keeps buckets in its memory; any credentials do."""

    name = "s3_server"

    def program(self, directory: object, port: int) -> Program:
        del directory
        argv = (sys.executable, "-m", "tests.support.s3", str(port))
        return Program(argv, CODE, {**os.environ, **ENVIRONMENT})

    def url(self, port: int) -> str:
        return f"http://{LOOPBACK}:{port}"

    def becomes_ready(self, record: Record) -> bool:
        return not is_free(record.port)


def use_s3(url: str, patch: pytest.MonkeyPatch) -> None:
    """Have `s3://` lead to a server; file systems that are open already lead elsewhere."""
    for name, value in {**ENVIRONMENT, "AWS_ENDPOINT_URL_S3": url}.items():
        patch.setenv(name, value)
    fsspec.get_filesystem_class("s3").clear_instance_cache()


def make_bucket(name: str) -> str:
    fsspec.filesystem("s3", use_listings_cache=False).mkdir(name)
    return f"s3://{name}"


@contextmanager
def refusing(url: str) -> Iterator[None]:
    """Have a server refuse these credentials."""
    with httpx.Client(base_url=url, trust_env=False) as client:
        client.post("/moto-api/reset-auth", content="0").raise_for_status()
        try:
            yield
        finally:
            client.post("/moto-api/reset-auth", content="inf").raise_for_status()


def main() -> None:
    from moto.moto_server.werkzeug_app import (  # noqa: PLC0415 - tests need no AWS, the program does
        DomainDispatcherApplication,
        create_backend_app,
    )
    from werkzeug.serving import run_simple  # noqa: PLC0415 - likewise

    run_simple(LOOPBACK, int(sys.argv[1]), DomainDispatcherApplication(create_backend_app))


if __name__ == "__main__":
    main()
