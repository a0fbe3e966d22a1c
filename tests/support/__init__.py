"""What tests and benchmarks share: samples, real servers of their own, programs that are killed."""

import os
from pathlib import Path

NO_AUTHORITY = Path(__file__).with_name("no_authority.pem")
"""One certificate, which has signed no other; the key is thrown away."""

# Each client of httpx and of Prefect reads all authorities of the web, 40 ms of one core, also for
# an address on loopback. Prefect reads the variable when it is imported.
os.environ["SSL_CERT_FILE"] = str(NO_AUTHORITY)
