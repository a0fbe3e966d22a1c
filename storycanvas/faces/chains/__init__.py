"""Chains that come with the project, a YAML file each (docs/pipelines/face-chain.md)."""
