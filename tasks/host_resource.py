"""What an automation in Prefect calls a host."""

from hashlib import sha256

from tasks.publish import artifact_key


def host_resource(kind: str, name: str) -> str:
    """Name a host as a resource of Prefect's events.

    Args:
        kind: Such as `face host`.
        name: As the table shows it.

    Returns:
        `storycanvas.host.{kind}.{name}` in lower-case letters, digits and dashes; a name with other
        letters than ASCII gets a few digits of its hash, for those letters are lost.
    """
    told = artifact_key(name)
    if not name.isascii():
        told = f"{told}-{sha256(name.encode('utf-8', 'replace')).hexdigest()[:8]}".strip("-")
    return f"storycanvas.host.{artifact_key(kind)}.{told}"
