"""The program that runs beside an engine on the GPU box and serves the face host contract.

It needs neither Prefect nor MongoDB: `pip install storycanvas-pipelines[host]` is its whole
installation.
"""
