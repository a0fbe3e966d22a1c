"""Jobs, each a file that moves from folder to folder."""
