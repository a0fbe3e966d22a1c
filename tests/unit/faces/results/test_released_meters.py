"""Networks take memory while they are needed, and none in between."""

import subprocess
import sys

from storycanvas.faces.results.meters import installed_meters, release_meters

MEASURE_AND_RELEASE = """
import psutil
import numpy as np
from storycanvas.faces.results.meters import installed_meters, release_meters

def megabytes():
    return psutil.Process().memory_info().rss / 1e6

before = megabytes()
installed_meters().landmarks.find(np.zeros((64, 64, 3), np.uint8))
loaded = megabytes()
release_meters()
print(loaded - before, megabytes() - before)
"""


def test_networks_that_are_released_are_loaded_again_when_they_are_used() -> None:
    before = installed_meters()

    release_meters()

    assert installed_meters() is not before
    assert installed_meters().landmarks is not None


def test_most_of_their_memory_goes_back_to_the_system() -> None:
    told = subprocess.check_output([sys.executable, "-c", MEASURE_AND_RELEASE], text=True)

    loaded, released = map(float, told.split())
    assert released < loaded / 2
