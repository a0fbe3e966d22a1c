"""A pipeline that asks a host for one operation, and goes on asking when the host is killed."""

from dataclasses import dataclass

import httpx
import stamina

from storycanvas.faces.client.host_client import FaceHostClient
from storycanvas.faces.client.timeouts import Timeouts
from storycanvas.faces.contract import OperationAnswer
from storycanvas.faces.operations import EnhanceOperation
from storycanvas.faces.pictures.reading import Picture
from storycanvas.net.retry import RetryPolicy
from tests.support.facefusion.supervised import portrait

KEY = "the-only-one"
PATIENT = RetryPolicy(tries=1000, first_wait=0.05, longest_wait=0.2, patience=60.0)
GIVES_UP_SOON = Timeouts(answers={EnhanceOperation.path: 0.3})


@dataclass(frozen=True)
class Answered:
    answer: OperationAnswer
    picture: Picture


def ask_until_answered(url: str) -> Answered:
    with stamina.set_testing(False), FaceHostClient(url, retries=PATIENT) as client:
        answer = client.operate(EnhanceOperation(), [client.upload(portrait())], KEY)
        return Answered(answer, client.download(answer.output_path or "none"))


def ask_and_go_away(url: str) -> None:
    """Raise HostUnreachable, because the answer does not come soon."""
    with FaceHostClient(url, timeouts=GIVES_UP_SOON, retries=RetryPolicy(tries=1)) as client:
        client.operate(EnhanceOperation(), [client.upload(portrait())], KEY)


def ask_anew(url: str) -> httpx.Response:
    """Ask for another operation than the one above."""
    body = {"source_path": f"asset:{portrait().asset_name}"}
    return httpx.post(f"{url}/api/v1/detect-faces", json=body)
