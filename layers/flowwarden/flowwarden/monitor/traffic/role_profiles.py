"""The profiles of the hosts of a batch: what is usual for their roles on the days of their traffic.

Nothing here refers to the view of the batch. Such a reference would be a cycle, so that all arrays of a batch
would stay in memory until the next garbage collection.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from flowwarden.monitor.baseline.baseline import Baseline
from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.caches.interfaces import InterfaceView
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.traffic.host_roles import HostRoles, RoleOnDay
from flowwarden.monitor.traffic.interface_index import InterfaceIndex
from flowwarden.network.interface import NetworkInterface


class RoleProfiles:
    """Looks up the profiles of hosts."""

    def __init__(self, roles: HostRoles, state: StateView, now: int) -> None:
        """Take the roles, the state with the baselines, and the time of the batch (Unix seconds)."""
        self._roles = roles
        self._state = state
        self._now = now
        self._unknown: dict[int, RoleProfile] = {}

    def at(self, interface: NetworkInterface | None, moment: int) -> RoleProfile:
        """The profile of the host at an interface at `moment` (Unix seconds; -1 is now)."""
        return self.of([self._roles.on_day(interface, moment)])[0]

    def of(self, hosts: Sequence[RoleOnDay]) -> list[RoleProfile]:
        """The profile of each host, with one look-up for all."""
        roles = dict.fromkeys((host.role, host.day) for host in hosts if host.interface)
        vpcs = dict.fromkeys((host.vpc, host.day) for host in hosts if host.vpc)
        baselines = self._state.baselines([*roles, *vpcs], self._now)
        return [self._profile(host, baselines) for host in hosts]

    def _profile(self, host: RoleOnDay, baselines: Mapping[tuple[str, int], Baseline | None]) -> RoleProfile:
        interface, role, vpc_name, day = host
        if not interface:
            # All unknown hosts of a day share one profile, because a batch can have tens of thousands.
            return self._unknown.setdefault(day, RoleProfile(day, None, role))
        # A role whose baseline could not be read looks new. With the cached baseline of its VPC, it would be
        # a new role in a learned VPC, whose behavior is reported.
        vpc = None if self._state.is_away else baselines.get((vpc_name, day))
        return RoleProfile(day, interface, role, baselines.get((role, day)), vpc)


class ClientProfiles:
    """The profiles of the hosts that opened connections, by interface id; others may have logged these."""

    def __init__(
        self,
        profiles: RoleProfiles,
        index: InterfaceIndex,
        described: Mapping[str, NetworkInterface],
        interfaces: InterfaceView,
    ) -> None:
        """Take the look-up, and the interfaces of the batch: all of them, and those that EC2 describes."""
        self._profiles = profiles
        self._index = index
        self._described = described
        self._interfaces = interfaces

    def of(self, interface_id: str) -> RoleProfile:
        """The usual behavior of the host at an interface."""
        place, moments = self._places.get(interface_id), self._index.moments
        moment = int(moments.max() if place is None else moments[place])
        interface = self._described.get(interface_id) or self._interfaces.cached(interface_id)
        return self._profiles.at(interface, moment)

    @cached_property
    def _places(self) -> Mapping[str | None, int]:
        return {name: place for place, name in enumerate(self._index.names)}
