"""Where the checkout lies, whatever the working directory is."""

from pathlib import Path

HOME = Path(__file__).resolve().parents[1]
MODELS = HOME / ".assets" / "models"
CONTRACT = HOME / "facefusion" / "contract.json"
