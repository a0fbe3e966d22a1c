"""From an operation's parameters to FaceFusion's options and units."""
