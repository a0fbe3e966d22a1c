"""Retryable steps: the only place that does input and output on behalf of a flow."""

from tasks.log_lines import name_steps_in_log

name_steps_in_log()
