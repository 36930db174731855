"""A view of one batch, shared by the detectors. Each part is computed on first use, once.

All parts span all interfaces of the batch, so that the cost grows with the number of records and of new
contacts, not of interfaces. They are columns with one element per flow, except for the few flows that a
detector creates individually (`flows`).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property

from msgspec import Struct

from flowwarden.monitor.baseline.profile import RoleProfile
from flowwarden.monitor.caches.interfaces import InterfaceView
from flowwarden.monitor.caches.state import StateView
from flowwarden.monitor.findings import FlowSample
from flowwarden.monitor.policy_view import PolicyView
from flowwarden.monitor.traffic.active_hosts import ActiveHosts, HostActivities
from flowwarden.monitor.traffic.bursts import MOST_INSPECTED, bursts
from flowwarden.monitor.traffic.contacts import Contacts
from flowwarden.monitor.traffic.host_roles import HostRoles
from flowwarden.monitor.traffic.hosts import Hosts
from flowwarden.monitor.traffic.interface_index import InterfaceIndex
from flowwarden.monitor.traffic.novelty import NewContacts, new_contacts, of_internet, watched_contacts
from flowwarden.monitor.traffic.refused_edges import Clients, RefusedEdges
from flowwarden.monitor.traffic.rejections import Rejections, refused_own
from flowwarden.monitor.traffic.role_profiles import ClientProfiles, RoleProfiles
from flowwarden.monitor.traffic.row_groups import MOST_FINDINGS
from flowwarden.monitor.traffic.selection import noise, rejected, touching, with_internet, without_repeats
from flowwarden.monitor.traffic.tally import samples_of
from flowwarden.network.direction import DirectedFlow, Directions
from flowwarden.network.host_set import host_set
from flowwarden.network.interface import NetworkInterface
from flowwarden.network.roles import is_middlebox
from flowwarden.network.traffic import Traffic
from flowwarden.records.columnar.flow_table import Table
from flowwarden.records.columnar.group_by import Groups, Keys, packed
from flowwarden.records.columnar.tokenizer import ABSENT, Integers, Mask
from flowwarden.records.log_format import LogFormat
from flowwarden.records.model import FlowDirection
from flowwarden.records.subscription import LogBatch
from flowwarden.state import heartbeats


class Context(Struct, frozen=True, kw_only=True):
    """The inputs of a batch view besides the batch."""

    formats: Sequence[LogFormat]
    """The log formats used to parse the lines."""
    interfaces: InterfaceView
    """The known network interfaces."""
    state: StateView
    """The state that earlier batches added."""
    policy: PolicyView
    now: int
    """Unix seconds."""


class BatchView:
    """One batch."""

    def __init__(self, batch: LogBatch, records: Table, context: Context) -> None:
        """Take the batch, its records and the context. Queries nothing yet."""
        self.batch = batch
        self.records = records
        self.formats = context.formats
        self.policy = context.policy.policy
        self.now = context.now
        self.interfaces = context.interfaces
        self.state = context.state
        self._prepared = context.policy
        self._refused_at: dict[int, FlowSample] = {}
        self._roles = HostRoles(self.policy.role_tags, self.now)
        self._profiles = RoleProfiles(self._roles, self.state, self.now)

    @cached_property
    def moment(self) -> int:
        """The median start time of the batch (Unix seconds)."""
        return heartbeats.moment(self.records, self.now)

    @cached_property
    def index(self) -> InterfaceIndex:
        """The interfaces that logged the flows."""
        return InterfaceIndex(self.records.flows)

    @cached_property
    def vpcs(self) -> Integers:
        """A number for the VPC of each row, within which an address belongs to one host only."""
        return self.index.vpcs(self.described)

    @cached_property
    def described(self) -> Mapping[str, NetworkInterface]:
        """The interfaces that logged the flows, as far as EC2 describes them, by id."""
        return self.interfaces.known(filter(None, self.index.names))

    @cached_property
    def directions(self) -> Directions:
        """Side, initiator, client and server of each flow."""
        cidrs = frozenset(cidr for each in self.described.values() for cidr in each.vpc_cidrs)
        addresses = {name: interface.addresses for name, interface in self.described.items()}
        traffic = Traffic(self.records.flows, self._prepared.services)
        return Directions(traffic, self._prepared.classifiers.of(cidrs), addresses)

    @cached_property
    def hosts(self) -> Hosts:
        """The hosts at the ends of connections, as far as they are known."""
        return Hosts(self.described, self.interfaces.valid_at, self.policy.role_tags)

    def flows(self, rows: Integers) -> list[DirectedFlow]:
        """A `DirectedFlow` for each of these rows, without duplicate records. Creating many is expensive."""
        return self.directions.flows(without_repeats(self.records.flows, rows))

    def exempt(self, hosts: Integers) -> Mask:
        """Which of these hosts, given as text numbers, are exempt."""
        held = host_set(self.policy.exempt).holding
        exempt: Mask = self.records.flows.answers(held).of(hosts) > 0
        return exempt

    @cached_property
    def noise(self) -> Integers:
        """The rows of rejected internet traffic, without duplicate records."""
        return noise(self.directions)

    def hosts_of(self, ends: Integers, rows: Integers) -> Keys:
        """A key for the host of each row: its VPC and address, since two VPCs can use the same address.

        Args:
            ends: text number of the host's address, for each flow of the batch. The host must be the end that
                logged the flow, because its VPC is that of the interface.
            rows: flows of the batch; one key is returned for each.
        """
        return packed([self.vpcs[rows], ends[rows]], [len(self.index), len(self.records.flows.texts)])

    @property
    def most_findings(self) -> int:
        """Maximum findings of a detector that are created individually."""
        return MOST_FINDINGS * self.state.breadth

    @cached_property
    def noise_hosts(self) -> Groups:
        """`noise`, grouped by the host (VPC and address) that rejected it."""
        return Groups(self.hosts_of(self.directions.server, self.noise), ordered=True)

    def refused_at(self, hosts: Sequence[int]) -> list[FlowSample]:
        """The part of `noise` that each of these hosts rejected; hosts are group numbers of `noise_hosts`."""
        new = [host for host in hosts if host not in self._refused_at]
        rows = [self.noise[self.noise_hosts.members(host)] for host in new]
        self._refused_at.update(zip(new, samples_of(self.directions, rows), strict=True))
        return [self._refused_at[host] for host in hosts]

    @cached_property
    def rejected(self) -> Integers:
        """The rows of the REJECTs except for the noise, without duplicate records."""
        return rejected(self.directions)

    @cached_property
    def rejections(self) -> Rejections:
        """Rejected connections of internal hosts."""
        return Rejections(self.directions, self._refused, self.policy, self.refused_edges)

    @cached_property
    def _refused(self) -> Integers:
        return refused_own(self.directions, self.rejected)

    @cached_property
    def refused_edges(self) -> RefusedEdges:
        """The refused edges of internal hosts, compared with those that are usual for their roles."""
        clients = Clients(self.directions, self.index, self._refused, self._located)
        profiles = ClientProfiles(self._profiles, self.index, self.described, self.interfaces)
        return RefusedEdges(self.directions, self._refused, clients, self.index, profiles.of)

    def _located(self, address: str, logged_by: str | None) -> NetworkInterface | None:
        here = self.described.get(logged_by) if logged_by else None
        return self.interfaces.at(address, here.vpc_id if here else None)

    def with_internet(self, places: tuple[str, ...]) -> Integers:
        """The rows of the accepted flows between these places and the internet.

        Args:
            places: ids, addresses or CIDRs, as in the policy.
        """
        rows = self._with_internet
        if not places or not len(rows):
            return rows[:0]
        return touching(self.directions, rows, host_set(places))

    @cached_property
    def _with_internet(self) -> Integers:
        return with_internet(self.directions)

    @cached_property
    def contacts(self) -> Contacts:
        """Which host contacts which service, and the outcome; excludes gateways, which relay traffic."""
        described = [self.described.get(name) if name else None for name in self.index.names]
        gateways = [place for place, each in enumerate(described) if each and is_middlebox(each)]
        return Contacts(self.directions, self.index, gateways)

    @cached_property
    def profiles(self) -> Mapping[int, RoleProfile]:
        """The usual behavior of the host at each interface with contacts, by interface index."""
        if not len(self.records.flows) or not len(self.contacts):
            return {}
        names, moments = self.index.names, self.index.moments.tolist()
        found = sorted(set(self.contacts.interface.tolist()))
        described = self.described
        hosts = [self._roles.on_day(described.get(names[at] or ""), moments[at]) for at in found]
        return dict(zip(found, self._profiles.of(hosts), strict=True))

    def profile(self, interface_id: str | None, moment: int) -> RoleProfile:
        """The usual behavior of the host at an interface at `moment` (Unix seconds; -1 is now)."""
        return self._profiles.at(self.described.get(interface_id) if interface_id else None, moment)

    @cached_property
    def is_learned(self) -> bool:
        """Whether at least one role, of the batch or another one of the account, has been learned."""
        return self.state.knows_a_role or any(not each.learning for each in self.profiles.values())

    @cached_property
    def all_is_new(self) -> bool:
        """Whether the account is still being learned: its roles are known, and none of them is learned.

        If EC2 describes no interface, or the table does not answer, nothing is being learned.
        """
        return bool(self.described) and not self.is_learned and not self.state.is_away

    def client_of(self, refused: DirectedFlow) -> RoleProfile:
        """The usual behavior of the client of a rejected connection, whichever end logged it."""
        flow = refused.flow
        if refused.side is not FlowDirection.INGRESS:
            return self.profile(flow.interface_id, ABSENT if flow.start is None else flow.start)
        client = self._located(refused.client, flow.interface_id)
        return self._profiles.at(client, ABSENT if flow.start is None else flow.start)

    def scope_at(self, interface_id: str | None) -> str:
        """The VPC of an interface of the batch; empty if unknown."""
        interface = self.described.get(interface_id) if interface_id else None
        return (interface.vpc_id or "") if interface else ""

    def role_at(self, place: int) -> str:
        """The role of the host at an interface, by interface index; `UNKNOWN` if EC2 does not describe it."""
        return self._roles.of(self.described.get(self.index.names[place] or ""))

    @cached_property
    def new_contacts(self) -> NewContacts:
        """The contacts that are not usual for the host at their interface."""
        return new_contacts(self.contacts, self.profiles)

    @cached_property
    def new_of_internet(self) -> NewContacts:
        """The new contacts that are TCP with the internet."""
        return of_internet(self.new_contacts)

    @cached_property
    def are_bursts(self) -> Mask | None:
        """Which contacts have many small sessions, as of a host that guesses passwords; None if none."""
        return bursts(self.contacts, self.directions, MOST_INSPECTED * self.state.breadth)

    @cached_property
    def active_hosts(self) -> ActiveHosts:
        """The internal hosts with new behavior, and their contacts within the hour and the day.

        Adds the contacts to the state table, so that they count for later batches.
        """
        if not self.profiles:
            return ActiveHosts((), ())
        activities = HostActivities(self.contacts, self.policy, self.state, self.now, self.are_bursts)
        watched = watched_contacts(self.contacts, self.profiles, self.new_contacts, self.are_bursts)
        return activities.of(self.profiles, self.new_contacts, watched)
