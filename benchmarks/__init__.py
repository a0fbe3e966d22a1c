"""What README's figures come from: each is a ratio, measured side by side in one run."""
