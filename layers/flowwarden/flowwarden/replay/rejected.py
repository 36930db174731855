"""The ports, sources and targets with the most rejected records. Pure, and bounded in memory."""

from __future__ import annotations

from typing import Final

import numpy as np

from flowwarden.monitor.view import BatchView
from flowwarden.network.services import describe_service
from flowwarden.records.columnar.group_by import Groups, packed
from flowwarden.records.columnar.string_pool import REJECT
from flowwarden.records.columnar.tokenizer import ABSENT, Integers
from flowwarden.replay.heaviest import Heaviest
from flowwarden.replay.observed import Ranked, Ranking

SHOWN: Final = 20
"""Rows of a ranking."""
_PORTS: Final = 2**16
_PROTOCOLS: Final = 2**8


class Rejected:
    """Counts rejected records."""

    def __init__(self) -> None:
        self._ports = Heaviest[tuple[int, int]]()
        """By protocol and port of the service."""
        self._sources = Heaviest[str]()
        self._targets = Heaviest[str]()

    def see(self, view: BatchView) -> None:
        """Add a batch."""
        flows, directions = view.records.flows, view.directions
        (rows,) = (flows["action"] == REJECT).nonzero()
        if not len(rows):
            return
        protocol, port = flows["protocol"][rows], directions.service_port[rows]
        groups = Groups(packed([protocol, port], [_PROTOCOLS, _PORTS]))
        services = zip(protocol[groups.rows].tolist(), port[groups.rows].tolist(), strict=True)
        self._ports.add(dict(zip(services, groups.sizes.tolist(), strict=True)))
        self._sources.add(_by_text(view, directions.client[rows]))
        self._targets.add(_by_text(view, directions.server[rows]))

    def rankings(self) -> tuple[Ranking, Ranking, Ranking]:
        """The rankings of ports, sources and targets."""
        services = {_service(*each): count for each, count in self._ports.top(SHOWN).items()}
        return (
            _ranking(services, self._ports.missed),
            _ranking(self._sources.top(SHOWN), self._sources.missed),
            _ranking(self._targets.top(SHOWN), self._targets.missed),
        )


def _by_text(view: BatchView, numbers: Integers) -> dict[str, int]:
    found, counts = np.unique(numbers, return_counts=True)
    text = view.records.flows.text
    return {text(each) or "-": count for each, count in zip(found.tolist(), counts.tolist(), strict=True)}


def _service(protocol: int, port: int) -> str:
    if protocol == ABSENT:
        return "unknown protocol"
    return describe_service(protocol, None if port == ABSENT else port)


def _ranking(counts: dict[str, int], missed: int) -> Ranking:
    return Ranking(rows=[Ranked(name=name, records=count) for name, count in counts.items()], missed=missed)
