"""One folder a processor; the command line lists them from the working directory."""
