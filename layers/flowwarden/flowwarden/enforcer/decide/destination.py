"""Chooses the destination of a flow log: the required one or its alternate. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from collections.abc import Set as AbstractSet

from msgspec import Struct

from flowwarden.enforcer.decide.drift import is_managed, log_group_of, same_destination
from flowwarden.enforcer.state.desired import DesiredFlowLog
from flowwarden.enforcer.state.inventory import FlowLog, VpcResources
from flowwarden.enforcer.state.stack import Stack, is_alternate
from flowwarden.policy.flow_logs import CLOUD_WATCH_LOGS, SETTINGS
from flowwarden.policy.setting import Value

type Shape = tuple[object, ...]
"""The delivery role of a flow log in a log group, and the settings that apply to such a flow log."""


class LogDestinations(Struct, frozen=True, kw_only=True):
    """What flow logs of any VPC write into the log groups of this account, by log group."""

    formats: Mapping[str, AbstractSet[str]] = {}
    """The log formats, as far as EC2 reports them."""
    managed: Mapping[str, AbstractSet[Shape]] = {}
    """The shapes of the managed flow logs, except those that use the alternate destination only because an
    unmanaged flow log of the same resource uses the required one."""


def destinations_of(flow_logs: Iterable[FlowLog], stack: Stack) -> LogDestinations:
    """The destinations that these flow logs write to."""
    known = [
        (each, group, " ".join(each.log_format.split()))
        for each in flow_logs
        if (group := log_group_of(each, stack)) is not None and each.log_format is not None
    ]
    formats: dict[str, set[str]] = {}
    unmanaged: dict[str, set[str]] = {}
    for each, group, log_format in known:
        formats.setdefault(group, set()).add(log_format)
        if not is_managed(each, stack):
            unmanaged.setdefault(each.resource_id, set()).add(group)
    managed: dict[str, set[Shape]] = {}
    for each, group, _ in known:
        evades = any(is_alternate(group, taken) for taken in unmanaged.get(each.resource_id, ()))
        if is_managed(each, stack) and not evades:
            managed.setdefault(group, set()).add(_shape(each.delivery_role_arn, each.settings))
    return LogDestinations(formats=formats, managed=managed)


def choose_destination(
    desired: DesiredFlowLog, parts: VpcResources, places: LogDestinations, stack: Stack
) -> DesiredFlowLog:
    """The required flow log, with the destination that is possible.

    It gets the alternate destination in three cases: the required log group holds another format; a flow log
    of this VPC (which is not the required one) already writes to the required destination; or the alternate
    already has managed flow logs while the wanted group has none of this configuration, so that flow logs
    of one configuration stay together.
    """
    alternate = desired.alternate_destination
    if alternate is None:
        return desired
    log_format = " ".join(desired.log_format.split())
    chosen = {each.name: getattr(desired, each.name) for each in SETTINGS}
    shape = _shape(desired.delivery_role_arn, chosen)
    others = places.formats.get(desired.destination, set()) - {log_format}
    conflicting = any(same_destination(each, desired, stack) for each in parts.flow_logs)
    moved = bool(places.managed.get(alternate.destination)) and shape not in places.managed.get(
        desired.destination, set()
    )
    # Flow logs of the same interfaces in one group could not be told apart.
    moved &= not any(same_destination(each, alternate, stack) for each in parts.flow_logs)
    return alternate if others or conflicting or moved else desired


def _shape(role_arn: str | None, settings: Mapping[str, Value]) -> Shape:
    in_groups = (each for each in SETTINGS if each.applies_to(CLOUD_WATCH_LOGS))
    return (role_arn, *(each.comparable(settings.get(each.name)) for each in in_groups))
