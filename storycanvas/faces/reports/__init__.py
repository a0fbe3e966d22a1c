"""The reports that face flows return: of steps, of the items of a batch, of several characters."""
