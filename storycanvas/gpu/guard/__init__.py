"""The guard: a host never gets more operations at a time than its limit has slots."""
