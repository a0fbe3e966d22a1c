"""What the operator configures in the Prefect UI, with environment variables as the fallback."""

from blocks.civitai import Civitai
from blocks.face_host import FaceHost
from blocks.face_host_farm import FaceHostFarm
from blocks.image_store import ImageStoreBlock
from blocks.story_database import StoryDatabase

__all__ = ["Civitai", "FaceHost", "FaceHostFarm", "ImageStoreBlock", "StoryDatabase"]
