"""A picture within an artifact's text: Prefect's UI shows no files."""

import base64


def inline_picture(what: str, png: bytes) -> str:
    """Write a picture as Markdown.

    Args:
        what: What it shows, for those who cannot see it.
        png: The encoded file.
    """
    return f"![{what}](data:image/png;base64,{base64.b64encode(png).decode()})"
