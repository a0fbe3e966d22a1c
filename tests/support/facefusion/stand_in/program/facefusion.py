"""Starts the stand-in the way FaceFusion is started: in its own directory."""

from facefusion import core

if __name__ == "__main__":
    core.cli()
