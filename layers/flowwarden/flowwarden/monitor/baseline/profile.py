"""Profile of the host at an interface: its role and its usual behavior."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cached_property
from typing import Final

from flowwarden.monitor.baseline.baseline import (
    DAYS_SEEN,
    GOES_OUT,
    LISTENS,
    Baseline,
    Edge,
    EdgeKind,
    refused,
)
from flowwarden.monitor.baseline.peers import DYNAMIC
from flowwarden.network.interface import NetworkInterface
from flowwarden.network.roles import UNKNOWN
from flowwarden.network.services import ADMIN_PORTS, DATABASE_PORTS, TCP
from flowwarden.state.sets import fingerprint

LEARNING_FACTOR: Final = 2.5
"""By how much limits for new behavior are higher while all behavior is new."""
DAYS_ADMINISTERED: Final = 5
"""Distinct days before remote administration is usual for a role: two logins on two days can be an intruder's
preparation."""


class RoleProfile:
    """The host at an interface, on a day."""

    def __init__(
        self,
        day: int,
        interface: NetworkInterface | None = None,
        role: str = UNKNOWN,
        baseline: Baseline | None = None,
    ) -> None:
        """Take the day (since 1970), the EC2 description and the baseline; None where unknown."""
        self.day = day
        self.interface = interface
        self.role = role
        self.baseline = baseline

    @property
    def learning(self) -> bool:
        """Whether new behavior is not yet unusual behavior."""
        return self.baseline is None or self.baseline.learning

    @property
    def can_be_usual(self) -> bool:
        """Whether any behavior can be usual already."""
        return self.baseline is not None and self.baseline.can_be_usual

    @property
    def scope(self) -> str:
        """The VPC, within which an address belongs to one host only; empty if unknown."""
        return (self.interface.vpc_id or "") if self.interface else ""

    @cached_property
    def databases(self) -> frozenset[int]:
        """Ports on which the role usually serves a database."""
        return frozenset(port for port in DATABASE_PORTS if self.knows(("in", TCP, port)))

    @cached_property
    def only_listens(self) -> bool:
        """Whether the role usually answers others and never connects to the internet."""
        return self.knows(LISTENS) and not self.knows(GOES_OUT)

    def asks(self, services: Iterable[tuple[int, int]]) -> frozenset[tuple[int, int]]:
        """The services among these that the role usually connects to, on any host."""
        return frozenset(each for each in set(services) if self._asks_for(*each))

    def _asks_for(self, protocol: int, port: int) -> bool:
        days = DAYS_ADMINISTERED if port in ADMIN_PORTS else DAYS_SEEN
        edge = "out", protocol, min(port, DYNAMIC)
        return self.baseline is not None and self.baseline.days_of(edge) >= days

    def knows(self, edge: Edge | EdgeKind) -> bool:
        """Whether an edge is usual for the host."""
        return self.baseline is not None and self.baseline.knows(edge)

    def usual_among(self, edges: Sequence[Edge]) -> frozenset[Edge]:
        """The edges among these that are usual for the host."""
        if not self.can_be_usual:
            return frozenset()
        new = self.new_among([fingerprint(*edge) for edge in edges])
        return frozenset(edges).difference(edges[at] for at in new)

    def usually_refused(self, edges: Sequence[Edge]) -> frozenset[Edge]:
        """The outbound edges among these that rules usually refuse the host's role, and that do not work.

        If a connection that is usual is refused, its rule was changed, however often that happens.
        """
        if self.baseline is None or not self.baseline.refuses:
            return frozenset()
        unused = [edges[at] for at in self.baseline.new_among([fingerprint(*edge) for edge in edges])]
        numbers = [fingerprint(*refused(edge)) for edge in unused]
        return frozenset(unused).difference(unused[at] for at in self.baseline.new_among(numbers))

    def new_among(self, edges: Sequence[int]) -> list[int]:
        """The positions of the edges, given by fingerprint, that are not usual for the host."""
        return [*range(len(edges))] if self.baseline is None else self.baseline.new_among(edges)
