"""Commands: limits, blocks and deployments as code, the local stack, the demo."""
