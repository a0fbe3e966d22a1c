"""The two queues by which other programs hand work over: one claim, one lease, one way to end."""
