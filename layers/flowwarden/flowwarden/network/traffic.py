"""Traffic: the flows of a batch, summed up by who asks whom for what.

One pass over the flows makes the groups; what the flows tell about each other (was the other way accepted,
which endpoint listens, which address is the interface's own) is worked out from these when asked for.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Sequence
from functools import cached_property
from operator import attrgetter

from msgspec import Struct

from flowwarden.network.addresses import AddressBook, PeerClass
from flowwarden.network.ports import TCP
from flowwarden.records.model import Action, Flow

SYN, RST, SYN_ACK = 2, 4, 18
"""`tcp-flags` bits: the bit 16 is only ever logged as part of a SYN-ACK."""

type Key = tuple[str, str, int | None, int | None, Action | None]
"""srcaddr, dstaddr, dstport, protocol, action."""

_KEY = attrgetter("srcaddr", "dstaddr", "dstport", "protocol", "action")
_ENDS = attrgetter("interface_id", "srcaddr", "dstaddr")


class Sums(Struct, gc=False):
    """What the flows of a group have together; a group of one flow is that flow, with the same attributes."""

    records: int
    packets: int
    bytes: int
    tcp_flags: int
    """ORed, as AWS does over a window."""


class Traffic:
    """The flows of a batch, in groups."""

    def __init__(self, flows: Sequence[Flow]) -> None:
        self._flows = flows
        self.groups: dict[Key, Flow | Sums] = {}
        group_of = self.groups.setdefault
        for key, flow in zip(map(_KEY, flows), flows, strict=True):
            group = group_of(key, flow)
            # Most groups are one flow, so only the second one makes an object for its sums.
            if group is not flow:
                self.groups[key] = _added(group, flow)

    def accepted(self, key: Key) -> bool:
        """Whether a flow of this group was accepted; the key's own action does not matter."""
        return (*key[:4], Action.ACCEPT) in self.groups

    def flags(self, key: Key) -> int:
        """The tcp-flags of this group, accepted and rejected together; 0 where there is none."""
        both = (self.groups.get((*key[:4], action)) for action in Action)
        return _ored(group.tcp_flags for group in both if group is not None)

    @cached_property
    def listeners(self) -> frozenset[tuple[str, int | None]]:
        """Endpoints (address, port) that answered with a SYN-ACK.

        Only that proves a listener: a SYN or a REJECT shows a wish to connect.
        """
        return frozenset(
            (flow.srcaddr, flow.srcport)
            for flow in self._flows
            if flow.tcp_flags and flow.tcp_flags & SYN_ACK == SYN_ACK and flow.protocol == TCP
        )

    def own_addresses(self, book: AddressBook) -> dict[tuple[str | None, str], str]:
        """The own address of each (interface, family), for logs without `flow-direction`.

        It is what all of the interface's flows have in common; where one pair of addresses is all there is,
        it is the one of the two that is ours.
        """
        pairs: dict[tuple[str | None, str], list[tuple[str, str]]] = defaultdict(list)
        for interface, srcaddr, dstaddr in set(map(_ENDS, self._flows)):
            pairs[interface, family(dstaddr)].append((srcaddr, dstaddr))
        return {
            key: address
            for key, ends in pairs.items()
            if (address := _only_own(_common(ends), book)) is not None
        }


def family(address: str) -> str:
    """`IPv4` or `IPv6`."""
    return "IPv6" if ":" in address else "IPv4"


def _added(group: Flow | Sums, flow: Flow) -> Sums:
    if not isinstance(group, Sums):
        group = Sums(1, group.packets or 0, group.bytes or 0, group.tcp_flags or 0)
    group.records += 1
    group.packets += flow.packets or 0
    group.bytes += flow.bytes or 0
    group.tcp_flags |= flow.tcp_flags or 0
    return group


def _ored(flags: Iterable[int | None]) -> int:
    total = 0
    for each in flags:
        total |= each or 0
    return total


def _common(pairs: list[tuple[str, str]]) -> set[str]:
    """The addresses that are an end of every pair."""
    return {address for address in pairs[0] if all(address in pair for pair in pairs)}


def _only_own(addresses: set[str], book: AddressBook) -> str | None:
    """The address, if only one can be the interface's own.

    AWS logs the private IPv4 address, so a public one that all flows share is a peer's. An IPv6 address of
    the interface is a public one, so there it may be.
    """
    own = {a for a in addresses if book.classify(a) is PeerClass.OWN}
    if not own and len(addresses) == 1 and family(*addresses) == "IPv6":
        own = addresses
    return next(iter(own)) if len(own) == 1 else None
