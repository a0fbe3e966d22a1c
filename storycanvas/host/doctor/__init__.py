"""`storycanvas-host doctor`: looks at a GPU box and says what is missing for a host on it.

Every check is a module: what it looks at, as facts, and what it makes of them, a pure function.
"""
