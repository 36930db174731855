"""Rejections: rejected connections of internal hosts, assigned to the detectors that report them.

Exactly one detector reports a rejected connection: as a probing host, as a service that blocks many hosts, or
otherwise as a single blocked host.
"""

from __future__ import annotations

from collections.abc import Iterable
from functools import cached_property

from flowwarden.monitor.traffic.selection import grouped, sure
from flowwarden.network.addresses import PeerClass
from flowwarden.network.direction import DirectedFlow
from flowwarden.network.host_set import host_set
from flowwarden.network.initiator import Initiator
from flowwarden.policy.policy import Policy
from flowwarden.records.model import Action

type ServerService = tuple[str, int | None, int | None]
"""Server, protocol, port."""
type Attempt = tuple[str, PeerClass, int | None, int | None]
"""Client, class of the server, protocol, port: a host's attempts at one service, on any replica."""


def refused_own(flows: Iterable[DirectedFlow]) -> list[DirectedFlow]:
    """Rejected flows of connections that internal hosts initiated, east-west or outbound.

    A rejected reply is not an attempt: only flows in the direction of the connection count, and no leftovers.
    """
    return [
        directed
        for directed in flows
        if directed.flow.action is Action.REJECT
        and directed.verdict.initiator is Initiator.SOURCE
        and sure(directed)
        and directed.client_class is PeerClass.OWN
        and directed.server_class is not PeerClass.LOCAL
        and not directed.leftover
    ]


class Rejections:
    """The rejected connections of internal hosts in a batch; each property is computed once."""

    def __init__(self, flows: Iterable[DirectedFlow], policy: Policy) -> None:
        self._refused = refused_own(flows)
        self._policy = policy

    @cached_property
    def probers(self) -> dict[str, list[DirectedFlow]]:
        """The internal hosts rejected at many pairs of host and port, with their rejected flows."""
        least = self._policy.thresholds.probing_places
        return {
            client: group
            for client, group in grouped(self._refused, lambda d: d.client).items()
            if len({_service_at(directed) for directed in group}) >= least
        }

    @cached_property
    def attempts(self) -> dict[Attempt, list[DirectedFlow]]:
        """The rejected attempts of each internal host, without stray packets."""
        groups = grouped(self._refused, lambda d: (d.client, d.server_class, d.flow.protocol, d.service_port))
        least = self._policy.thresholds.blocked_packets
        return {key: group for key, group in groups.items() if _packets(group) >= least}

    @cached_property
    def shut_services(self) -> dict[ServerService, list[DirectedFlow]]:
        """The internal services that reject many internal hosts.

        Probers and exempt hosts do not count as clients: a host that tries everything says nothing about a
        service.
        """
        probing, exempt = self.probers, host_set(self._policy.exempt)
        asked = [
            directed
            for (client, server_class, *_), group in self.attempts.items()
            if server_class is PeerClass.OWN and client not in probing and not exempt.hold(client)
            for directed in group
        ]
        least = self._policy.thresholds.shut_clients
        return {
            service: group
            for service, group in grouped(asked, _service_at).items()
            if len({directed.client for directed in group}) >= least
        }

    def blocked(self) -> list[list[DirectedFlow]]:
        """The rejected attempts that no blocked service explains, by host and service."""
        shut = self.shut_services
        reported = {(directed.client, service) for service, group in shut.items() for directed in group}
        rest = (
            [directed for directed in group if (directed.client, _service_at(directed)) not in reported]
            for group in self.attempts.values()
        )
        return [group for group in rest if group]


def _service_at(directed: DirectedFlow) -> ServerService:
    return (directed.server, directed.flow.protocol, directed.service_port)


def _packets(group: list[DirectedFlow]) -> int:
    # A record stands for at least one packet, even if the log format omits the count.
    return sum(1 if d.flow.packets is None else d.flow.packets for d in group)
