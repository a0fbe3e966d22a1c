"""The language of face operations: what can be done to a face, in what order, and with what result.

Nothing in here knows Prefect or MongoDB, so all of it can be tested in milliseconds.
"""
