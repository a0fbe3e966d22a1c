"""What docs/figures.md has its figures from: each is a ratio, measured side by side in one run."""
