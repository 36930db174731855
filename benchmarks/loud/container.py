"""The memory of a container that processes many batches: `python -m benchmarks.loud.container [BATCHES]`.

Ten thousand batches of 50 lines each, of random ones of ten thousand interfaces in 500 roles, with random far
ends. Prints the peak memory; returns 1 above `MOST_MB`.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from itertools import islice
from random import Random
from typing import Final

from benchmarks.loud.batches import Values, fitted, flows, interface, outside, own
from benchmarks.loud.invocation import container, peak_memory

BATCHES: Final = 10_000
INTERFACES: Final = 10_000
LINES: Final = 50
MOST_MB: Final = 300
_SHOWN: Final = 1000
_ANY: Final = 2**24


def drawn(random: Random) -> Iterator[Values]:
    """The lines of a batch of one interface."""
    place = random.randrange(INTERFACES)
    while True:
        inside = random.random() < 0.5  # noqa: PLR2004 - half of the far ends are internal
        far = own(random.randrange(_ANY)) if inside else outside(random.randrange(_ANY))
        yield {
            "interface-id": interface(place), "srcaddr": own(place), "dstaddr": far,
            "flow-direction": "egress",
            "dstport": random.choice((22, 443, 5432, random.randrange(65_536))),
            "action": random.choice(("ACCEPT", "REJECT")),
        }  # fmt: skip


def main(batches: int) -> int:
    """Process the batches in this process."""
    results = os.fdopen(os.dup(1), "w")
    os.dup2(2, 1)  # the handler's log goes to standard error
    measured, random = container(described=True, wait=lambda _seconds: None), Random(1)
    for number in range(batches):
        lines = flows(lambda: drawn(random))(measured.layout)
        event, _ = fitted(islice(lines, LINES), 2**20)
        measured.invoke(event, 40)
        if (number + 1) % _SHOWN == 0:
            megabytes = peak_memory() / 2**20
            print(f"{number + 1:,} batches: {megabytes:.0f} MB at most", file=results, flush=True)
    return int(peak_memory() > MOST_MB * 2**20)


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]) if len(sys.argv) > 1 else BATCHES))
