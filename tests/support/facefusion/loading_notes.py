"""Notes of the weights that a FaceFusion loads: the stand-in writes them by itself."""

from tests.support.facefusion.checkouts import Checkout

_NOTE = """

def _noted(create):
    def create_noted(model_path, *given):
        import os, pathlib
        home = pathlib.Path(__file__).parents[1]
        with (home / "loads.log").open("a") as log:
            log.write(f"{os.getpid()} {pathlib.Path(model_path).stem}\\n")
        return create(model_path, *given)

    return create_noted


create_inference_session = _noted(create_inference_session)
"""
"""For `facefusion/inference_manager.py` of 3.5.4 to 3.8.1."""


def note_loads(checkout: Checkout) -> None:
    """Let a checkout of FaceFusion itself note which process loads which weights."""
    module = checkout.home / "facefusion" / "inference_manager.py"
    if "def create_inference_session" in module.read_text():
        with module.open("a") as opened:
            opened.write(_NOTE)
