"""Determines which network interfaces can be expected to write records. Pure.

Flow logs contain no records, not even NODATA, for an interface that is not attached (status `available`) or
is attached to an instance that does not run. DescribeNetworkInterfaces reports the latter as `in-use`, so
the instances must be listed as well. Interfaces of load balancers, NAT gateways, endpoints and the like have
no instance.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from msgspec.structs import replace

from flowwarden.network.interface import NetworkInterface


def has_instance(interface: NetworkInterface) -> bool:
    """Whether the activity of the interface depends on its instance."""
    return bool(interface.active and interface.instance_id)


def judged(
    interfaces: Iterable[NetworkInterface], running: Mapping[str, int | None] | None, account_id: str
) -> Iterator[NetworkInterface]:
    """The interfaces, with their activity according to their instances.

    Args:
        interfaces: the interfaces as EC2 describes them.
        running: the last launch time of each running instance by id (Unix seconds, None if unknown); None if
            the instances could not be listed.
        account_id: the account of these instances; those of other accounts cannot be listed.
    """
    for each in interfaces:
        if not has_instance(each):
            yield each
        elif running is None or each.instance_owner not in {"", account_id}:
            yield replace(each, active=None)
        elif each.instance_id in running:
            # A stopped instance keeps its interfaces, so they are active only since its last launch.
            yield replace(each, since=max(each.since or 0, running[each.instance_id] or 0) or None)
        else:
            yield replace(each, active=False)


def writes_since(interface: NetworkInterface, seconds: int, at: int) -> bool:
    """Whether an interface has certainly been active for so many seconds; unknown age counts as old."""
    return interface.active is True and at - (interface.since or 0) >= seconds
