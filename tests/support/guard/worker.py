"""One process of the guard's benchmark: `python -m tests.support.guard.worker ORDER`.

It says `ready` when all is imported and checked, then reads the moment to begin, by the machine's
monotonic clock: so processes begin together.
"""

import json
import sys
import time

import httpx

from tests.support.guard.ways import WAYS, Order, Work

CONNECTIONS = httpx.Limits(max_keepalive_connections=None)


def main(order: Order) -> None:
    """Carry out an order."""
    with httpx.Client(timeout=60, limits=CONNECTIONS) as client:
        work = Work(order, client)
        work.check()
        print("ready", flush=True)
        time.sleep(max(0.0, float(sys.stdin.readline()) - time.monotonic()))
        WAYS[order.way](work)


if __name__ == "__main__":
    main(Order(**json.loads(sys.argv[1])))
