"""The ground floor: addresses without secrets, bounded reads, retries, whole files, file locks."""
