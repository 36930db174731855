"""The path of a connection: every component that examines its packets, in order.

A request leaves by the security groups of the source and the network ACL of its subnet, and arrives by the
network ACL of the destination's subnet and the security groups of the destination. Replies pass both network
ACLs again; security groups allow them. Within a subnet, no network ACL applies. Of an end outside the VPC,
nothing is known, and nothing is checked.
"""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from flowwarden.network.rules.check import Check, Outcome
from flowwarden.network.rules.matching import Doubt, Unknown
from flowwarden.network.rules.model import Configuration, Direction, End, Packet, Passage, Place
from flowwarden.network.rules.network_acls import check_network_acl
from flowwarden.network.rules.security_groups import check_security_groups


def checks(packet: Packet, source: End, destination: End, configuration: Configuration) -> tuple[Check, ...]:
    """What each component does with the packets of a connection, in the order of the path.

    Args:
        packet: the request.
        source: the end that sends it.
        destination: the end that it is sent to.
        configuration: what EC2 describes.
    """
    path = _Path(source, destination, configuration)
    return (*path.request(packet), *path.reply(packet.reply))


class _Path:
    def __init__(self, source: End, destination: End, configuration: Configuration) -> None:
        self._source = source
        self._destination = destination
        self._configuration = configuration

    def request(self, packet: Packet) -> Iterator[Check]:
        """The checks of the request."""
        source, destination = self._source, self._destination
        yield from self._groups(source, destination, packet, Direction.OUTBOUND)
        yield from self._acl(source, packet, Direction.OUTBOUND)
        yield from self._acl(destination, packet, Direction.INBOUND)
        yield from self._groups(destination, source, packet, Direction.INBOUND)

    def reply(self, packet: Packet) -> Iterator[Check]:
        """The checks of the reply."""
        yield from self._acl(self._destination, packet, Direction.OUTBOUND, is_reply=True)
        yield from self._acl(self._source, packet, Direction.INBOUND, is_reply=True)

    def _groups(self, here: End, far: End, packet: Packet, direction: Direction) -> Iterator[Check]:
        passage = Passage(
            packet=packet, direction=direction, far=far, prefix_lists=self._configuration.prefix_lists
        )
        if found := check_security_groups(here, passage, self._configuration.groups):
            yield found

    def _acl(
        self, here: End, packet: Packet, direction: Direction, *, is_reply: bool = False
    ) -> Iterator[Check]:
        if here.place is not Place.INTERFACE or self._is_within_subnet:
            return
        passage = Passage(packet=packet, direction=direction)
        acl = self._configuration.acls.get(here.subnet)
        found = check_network_acl(acl, here.subnet, passage, is_reply=is_reply)
        if found.outcome is not Outcome.ALLOWED and self._is_within_subnet is None:
            found = _in_doubt(found)
        yield found

    @property
    def _is_within_subnet(self) -> bool | None:
        """Whether both ends are in one subnet; None if it is not known."""
        ends = self._source, self._destination
        if Place.OUTSIDE in {each.place for each in ends}:
            return False
        if Place.UNKNOWN in {each.place for each in ends} or not all(each.subnet for each in ends):
            return None
        return self._source.subnet == self._destination.subnet


def _in_doubt(check: Check) -> Check:
    """A check that may not apply at all."""
    doubts = (Unknown(Doubt.SUBNET, check.at), *check.doubts)
    return replace(
        check, outcome=Outcome.UNDETERMINED, code=None, rule=None, closest=None, closest_in="", doubts=doubts
    )
