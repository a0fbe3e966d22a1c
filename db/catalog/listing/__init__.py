"""What a server lists, compared with and written to `active_backend_models`."""
