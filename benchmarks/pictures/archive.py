"""A generated archive: a learned network with one incident of each kind, and gaps in its records."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from functools import partial
from pathlib import Path
from typing import Final

import msgspec

from benchmarks.evaluation.generator.generator import Generator
from benchmarks.evaluation.generator.model import DAY, REGION, Delivery, Network
from benchmarks.evaluation.monitor import described, policy
from benchmarks.layouts import layouts
from flowwarden.replay.interface_file import InterfaceFile, encoded

NETWORK: Final = Network(
    seed=20, layout=layouts()["template"], interfaces=60, learning_days=15, judged_days=3,
    learning_rate=0.35, learning_slot=3600, judged_rate=0.5, incidents_of_each_kind=1,
)  # fmt: skip
BLIND: Final = ((3, 10, 6.0), (11, 30, 9.5), (17, 41, 4.0))
"""Gaps: the place of the interface, the hour after learning at which it begins, and its hours."""


def make(folder: Path, network: Network = NETWORK) -> list[str]:
    """Write an archive with its interfaces and policy; return the arguments of `flowwarden replay` for it."""
    generator = Generator(network)
    interfaces = generator.interfaces()
    path, end = folder / "flows.log", network.layout.names.index("end")
    with path.open("w") as file:
        file.write(f"{' '.join(network.layout.names)}\n")
        while not generator.over:
            kept = _without_gaps(generator.next_day(), sorted(interfaces), network)
            lines = [line for delivery in kept for line in delivery.lines]
            file.writelines(f"{line}\n" for line in sorted(lines, key=partial(_end_of, end)))
            interfaces |= generator.interfaces()
    known = InterfaceFile(
        account="111122223333", region=REGION, interfaces=tuple(map(described, interfaces.values()))
    )
    (folder / "interfaces.json").write_text(encoded(known))
    rules = policy(interfaces.values())
    (folder / "policy.json").write_text(json.dumps(msgspec.to_builtins(rules), default=list))
    return [
        str(path), "--interfaces", str(folder / "interfaces.json"), "--policy", str(folder / "policy.json"),
    ]  # fmt: skip


def _end_of(place: int, line: str) -> str:
    """The field `end` of a line; '' for a malformed line without it."""
    return "".join(line.split()[place : place + 1])


def _without_gaps(
    deliveries: Iterator[Delivery], names: Sequence[str], network: Network
) -> Iterator[Delivery]:
    begin = network.end - network.judged_days * DAY
    gaps = {names[place % len(names)]: (begin + hour * 3600, hours * 3600) for place, hour, hours in BLIND}
    for each in deliveries:
        interface = each.log_stream.rsplit("-", 1)[0]
        first, seconds = gaps.get(interface, (0, 0))
        if not first <= each.arrived < first + seconds:
            yield each
