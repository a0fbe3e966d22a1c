"""Real local services, started as child processes: MongoDB, Prefect, a face host.

For trying out and for tests. `shared.acquire` is the door: a caller that needs a service in a state
directory gets the one that runs there, or starts it; the last one to leave ends it.
"""
