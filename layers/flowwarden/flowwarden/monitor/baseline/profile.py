"""Profile of the host at an interface: its role and its usual behavior."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from enum import Enum, auto
from functools import cached_property
from typing import Final

from flowwarden.monitor.baseline.baseline import (
    DAYS_LEARNED,
    DAYS_SEEN,
    LEARNING_DAYS,
    MEASURED,
    Baseline,
    Edge,
    EdgeKind,
    bursts_of,
    guessed_at,
    refused,
)
from flowwarden.monitor.baseline.peers import DYNAMIC
from flowwarden.network.interface import NetworkInterface
from flowwarden.network.roles import UNKNOWN
from flowwarden.network.services import (
    ADMIN_PORTS,
    DIRECTORY_SERVICES,
    FILE_AND_RPC,
    TCP,
    UDP,
)
from flowwarden.records.columnar.tokenizer import Integers
from flowwarden.state.sets import fingerprint

DAYS_OF_OTHERS: Final = 2
"""How many times as many days count for a host on which something was reported about others of its role."""
LEARNING_FACTOR: Final = 2.5
"""The factor by which limits for new behavior are higher while all behavior is new."""
DAYS_ADMINISTERED: Final = 5
"""Distinct days before remote administration is usual for a role: logins on two days can be an intruder's
preparation."""
DAYS_WEEKLY: Final = 3
"""The same, if the first day was at least two weeks ago: a weekly job has four days in a month."""
NETWORKS_ADMINISTERED: Final = 2
"""Distinct networks that a role administers, each on `DAYS_ADMINISTERED` days on average, before
administering other networks is usual, too. The purpose of bastions and deployment tools is to log in to hosts
of several networks, and a subnet larger than a /24 is several networks."""
NETWORKS_OF_FILES: Final = 5
"""The same for `FILE_AND_RPC`, which hosts also use for other purposes than administration: file servers are
spread over three or four Availability Zones."""


class Standing(Enum):
    """How usual the edge of a contact is for a role."""

    NEW = auto()
    RECENT = auto()
    """Remote administration that is not usual yet: it was seen on fewer than `DAYS_ADMINISTERED` days."""
    USUAL = auto()
    SUDDEN = auto()
    """Usual, but not with so many small sessions at once."""


class RoleProfile:
    """The host at an interface, on a day."""

    def __init__(
        self,
        day: int,
        interface: NetworkInterface | None = None,
        role: str = UNKNOWN,
        baseline: Baseline | None = None,
        vpc: Baseline | None = None,
    ) -> None:
        """Take the day (since 1970), EC2's description, the baselines of role and VPC; None where unknown."""
        self.day = day
        self.interface = interface
        self.role = role
        self.baseline = baseline
        self._vpc = vpc
        self._administers: dict[tuple[int, int], bool] = {}
        """By service, whether the role administers all networks. Cached, because each host needs it."""

    @property
    def learning(self) -> bool:
        """Whether the role is unknown or too young for new behavior to be unusual."""
        return self.baseline is None or self.baseline.learning

    @property
    def cautious(self) -> bool:
        """Whether the role is new in a learned VPC, so that grave behavior is reported while it is learned.

        In a new VPC everything is new. In a learned VPC, a new role is a deployment or a host whose tag was
        changed, and an intruder may be allowed to change the tags of its host.
        """
        return (
            self.learning and self.baseline is not None and self._vpc is not None and not self._vpc.learning
        )

    @property
    def learning_all(self) -> bool:
        """Whether even grave behavior is still learned, because it may be usual."""
        return self.learning and not self.cautious

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
        """Ports on which the role usually serves a database.

        If the role is new in a learned VPC, one day is enough.
        """
        serving = self.baseline.days_serving if self.baseline else {}
        return frozenset(port for port, seen in serving.items() if seen >= self.days_to_serve)

    @property
    def days_to_serve(self) -> int:
        """Days on which a role serves a database before it counts as a database's role."""
        return 1 if self.cautious else DAYS_SEEN

    @property
    def only_listens(self) -> bool:
        """Whether the role usually answers others and never connects to the internet."""
        return self.baseline is not None and self.baseline.only_listens

    def expects_guesses(self, port: int, host: str) -> bool:
        """Whether passwords are usually guessed at a TCP port of this host, or of the role's hosts.

        One host that is exposed for two days says little about the others.
        """
        of_role, of_host = self.days_of(guessed_at(port)), self.days_of(guessed_at(port, host))
        return of_host >= DAYS_SEEN or of_role >= DAYS_OF_OTHERS * DAYS_SEEN

    @property
    def is_measured(self) -> bool:
        """Whether uploads to AWS services and bursts were learned on as many days as a role needs."""
        return self.days_of(MEASURED) >= DAYS_LEARNED and self.is_old(MEASURED)

    def asks(self, services: Iterable[tuple[int, int]]) -> frozenset[tuple[int, int]]:
        """The services among these that the role usually connects to, on any host."""
        return frozenset(each for each in set(services) if self._asks_for(*each))

    def _asks_for(self, protocol: int, port: int) -> bool:
        if port in ADMIN_PORTS:
            service = protocol, port
            if service not in self._administers:
                self._administers[service] = self._administers_all(protocol, port)
            return self._administers[service]
        return self.knows(("out", protocol, min(port, DYNAMIC)))

    def _administers_all(self, protocol: int, port: int) -> bool:
        """Whether the role administers so many networks that administering others is usual."""
        if self.baseline is None:
            return False
        usual = self.baseline.days_of_networks(protocol, port)
        least = NETWORKS_OF_FILES if port in FILE_AND_RPC else NETWORKS_ADMINISTERED
        # A bastion may administer many networks, each rarely, so their days are added up.
        return len(usual) >= least and sum(usual) >= least * DAYS_ADMINISTERED

    def standing_of_watched(self, edge: Edge, *, is_burst: bool) -> Standing:
        """How usual a watched edge, see `novelty.watched_contacts`, is for the host.

        Args:
            edge: of a contact.
            is_burst: whether the contact has many small sessions, see `bursts`.
        """
        if self.administers_lately(edge):
            return Standing.RECENT
        is_sudden = is_burst and self.is_measured and not self.knows(bursts_of(edge))
        return Standing.SUDDEN if is_sudden else Standing.USUAL

    def administers_lately(self, edge: Edge) -> bool:
        """Whether the edge is administration of internal hosts that is not usual yet."""
        if edge.direction != "out" or edge.port not in ADMIN_PORTS or "/" not in edge.peer:
            return False
        is_weekly = self.days_of(edge) >= DAYS_WEEKLY and self.is_old(edge)
        return self.days_of(edge) < DAYS_ADMINISTERED and not is_weekly

    def is_old(self, edge: Edge) -> bool:
        """Whether an edge was first seen at least `LEARNING_DAYS` ago."""
        return self.baseline is not None and self.baseline.age_of(edge) >= LEARNING_DAYS

    def directory_services(self, peer: str) -> frozenset[int]:
        """The directory services, see `DIRECTORY_SERVICES`, that the role usually uses in a network."""
        return frozenset(
            service
            for port, service in DIRECTORY_SERVICES.items()
            if any(self.knows(Edge("out", protocol, port, peer)) for protocol in (TCP, UDP))
        )

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
        """The outbound edges among these that are usually refused to the host's role, and not usual.

        If a usual connection is refused, its rule was changed, however often that happens.
        """
        if self.baseline is None or not self.baseline.refuses:
            return frozenset()
        unused = [edges[at] for at in self.baseline.new_among([fingerprint(*edge) for edge in edges])]
        numbers = [fingerprint(*refused(edge)) for edge in unused]
        return frozenset(unused).difference(unused[at] for at in self.baseline.new_among(numbers))

    def days_of(self, edge: Edge | EdgeKind) -> int:
        """The number of earlier days on which an edge was seen."""
        return 0 if self.baseline is None else self.baseline.days_of(edge)

    def new_among(self, edges: Sequence[int] | Integers) -> list[int]:
        """The positions of the edges, given by fingerprint, that are not usual for the host."""
        return [*range(len(edges))] if self.baseline is None else self.baseline.new_among(edges)
