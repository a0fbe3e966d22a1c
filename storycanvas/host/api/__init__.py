"""The HTTP side of the host: paths, access, limits, errors, and its OpenAPI document."""
