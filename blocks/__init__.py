"""What the operator configures in the Prefect UI, with environment variables as the fallback."""

from blocks.face_host import FaceHost
from blocks.image_store import ImageStoreBlock
from blocks.story_database import StoryDatabase

__all__ = ["FaceHost", "ImageStoreBlock", "StoryDatabase"]
