"""FaceFusion as a process: its installation, environment, workspace, log and exit."""
