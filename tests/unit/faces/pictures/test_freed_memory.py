"""Memory of pictures goes back to the system, whichever thread worked on them."""

import subprocess
import sys

import pytest

WORK = """
import sys
import threading
import psutil
from storycanvas.faces.pictures.freed_memory import give_back_freed_pictures

if sys.argv[1] == "given back":
    assert give_back_freed_pictures()
kept = []

def work():
    for megabytes in (24, 4, 24, 6, 20):
        picture = bytearray(megabytes * 1024 * 1024)
        kept.append(bytes(900))
        del picture

before = psutil.Process().memory_info().rss
for _ in range(4):
    threads = [threading.Thread(target=work) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
print((psutil.Process().memory_info().rss - before) // 1024**2)
"""


def megabytes_left(how: str) -> int:
    done = subprocess.run(
        [sys.executable, "-c", WORK, how], check=True, capture_output=True, text=True
    )
    return int(done.stdout)


@pytest.mark.skipif(sys.platform != "linux", reason="glibc alone is known to keep them")
def test_large_buffers_of_threads_do_not_stay() -> None:
    assert megabytes_left("given back") < 8
