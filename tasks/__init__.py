"""Retryable steps: the only place that does input and output on behalf of a flow."""
