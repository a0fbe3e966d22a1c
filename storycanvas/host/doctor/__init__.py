"""`storycanvas-host doctor`: examines a GPU box and reports what a host on it lacks.

Every check collects facts (`collect_x`) and evaluates them with a pure function (`evaluate_x`).
"""
