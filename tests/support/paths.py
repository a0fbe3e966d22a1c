"""Where the repository and its samples lie."""

from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
PORTRAIT = ROOT / "samples" / "portrait.png"
COUPLE_SAMPLES = ROOT / "tests" / "support" / "db" / "couple_samples"
