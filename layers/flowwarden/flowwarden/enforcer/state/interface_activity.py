"""Which network interfaces can be expected to write records. Pure.

Flow logs say nothing, not even NODATA, of an interface that is attached to nothing (EC2 calls it
`available`) or to an instance that does not run. DescribeNetworkInterfaces calls the latter `in-use` all the
same, so instances have to be asked about. Interfaces of load balancers, NAT gateways, endpoints and the like
have no instance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from flowwarden.network.interface import NetworkInterface


def has_instance(interface: NetworkInterface) -> bool:
    """Whether only its instance tells whether the interface is active."""
    return bool(interface.active and interface.instance_id)


def judged(
    interfaces: Iterable[NetworkInterface], running: Mapping[str, int | None] | None, account_id: str
) -> Iterator[NetworkInterface]:
    """The interfaces, with what their instances say.

    Args:
        interfaces: as EC2 describes them.
        running: by id, when the instances that run were launched last (Unix seconds, None if not told); None
            if they could not be asked about.
        account_id: whose instances they are; about those of others nobody can ask.
    """
    for each in interfaces:
        if not has_instance(each):
            yield each
        elif running is None or each.instance_owner not in {"", account_id}:
            yield replace(each, active=None)
        elif each.instance_id in running:
            # One that was stopped keeps its interfaces: they are active since it was started again.
            yield replace(each, since=max(each.since or 0, running[each.instance_id] or 0) or None)
        else:
            yield replace(each, active=False)


def writes_since(interface: NetworkInterface, seconds: int, at: int) -> bool:
    """Whether an interface has surely been active for so many seconds; one of unknown age counts as old."""
    return interface.active is True and at - (interface.since or 0) >= seconds
