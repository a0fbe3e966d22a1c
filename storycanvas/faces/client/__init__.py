"""The client of the host contract: one connection pool, retries, pictures sent once."""
