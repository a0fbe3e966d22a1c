"""How an operation reaches FaceFusion: one resident process, or one process an operation."""
