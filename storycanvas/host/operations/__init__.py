"""From a request to an answer: the queue, the run by idempotency key, the stored result."""
