"""Installs the stand-in's requirements as FaceFusion 3.8.1 does: with the first pip on PATH, and
with status 0 whatever pip answers. The stand-in has an onnxruntime of its own.
"""

import os
import shutil
import subprocess
import sys
from argparse import ArgumentParser
from pathlib import Path

parser = ArgumentParser()
parser.add_argument("onnxruntime", choices=["default", "cuda@12", "cuda@13"])
parser.add_argument("--skip-conda", action="store_true")

if __name__ == "__main__":
    if not parser.parse_args().skip_conda and "CONDA_PREFIX" not in os.environ:
        sys.exit("conda is not activated")
    requirements = Path("requirements.txt").read_text().split()
    subprocess.call([shutil.which("pip") or "pip", "install", *requirements])
