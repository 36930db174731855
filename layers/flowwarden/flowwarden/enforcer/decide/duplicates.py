"""Unmanaged flow logs that record the same traffic as the required one, at the same cost again. Pure.

One that delivers to S3 or Firehose may be an archive that others need: see `unmanaged`.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Sequence

from msgspec import Struct

from flowwarden.enforcer.decide import cost
from flowwarden.enforcer.decide.coverage import CoverageVerdict
from flowwarden.enforcer.decide.vpc_state import VpcState
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.notify.claims import digest
from flowwarden.policy.flow_logs import ANY, CLOUD_WATCH_LOGS


class Duplicate(Struct, frozen=True, kw_only=True):
    """The duplicates in one VPC."""

    vpc_id: str
    flow_log_ids: tuple[str, ...]
    monthly_dollars: float
    """The total cost: measured, or estimated as if each were configured like the required one."""
    is_measured: bool = False


def duplicates_of(
    pairs: Iterable[tuple[VpcState, CoverageVerdict]],
    accepted: Collection[str] = (),
    reported: Collection[str] = (),
    most: int | None = None,
) -> tuple[Duplicate, ...]:
    """The duplicates in these VPCs, in the given order.

    Args:
        pairs: the VPCs, each with its verdict.
        accepted: ids, log groups or destination ARNs of the duplicates that the policy accepts; `*` for all.
        reported: ids of flow logs that were reported before.
        most: how many flow logs to return; None for all.
    """
    found: list[Duplicate] = []
    for vpc_state, verdict in pairs:
        flow_logs = _found(vpc_state, verdict, accepted, reported)[:most]
        if flow_logs:
            found.append(_of(vpc_state, flow_logs))
            most = None if most is None else most - len(flow_logs)
    return tuple(found)


def count(duplicates: Iterable[Duplicate]) -> int:
    """The number of flow logs."""
    return sum(len(each.flow_log_ids) for each in duplicates)


def incident_of(duplicates: Iterable[Duplicate]) -> str:
    """The incident for exactly these flow logs, so that new duplicates are reported immediately."""
    return digest("duplicates", *sorted(name for each in duplicates for name in each.flow_log_ids))


def _found(
    vpc_state: VpcState, verdict: CoverageVerdict, accepted: Collection[str], reported: Collection[str]
) -> list[FlowLog]:
    return [
        each
        for each in vpc_state.parts.flow_logs
        if each.flow_log_id in verdict.duplicates
        and each.log_destination_type in {None, CLOUD_WATCH_LOGS}
        and each.flow_log_id not in reported
        and not _is_accepted(each, accepted)
    ]


def _of(vpc_state: VpcState, flow_logs: Sequence[FlowLog]) -> Duplicate:
    dollars = 0.0
    for each in flow_logs:
        active = sum(one.at_work for one in vpc_state.watched_by(each))
        dollars += cost.monthly_dollars(vpc_state.desired, active)
    return Duplicate(
        vpc_id=vpc_state.vpc.vpc_id,
        flow_log_ids=tuple(each.flow_log_id for each in flow_logs),
        monthly_dollars=round(dollars, 2),
    )


def _is_accepted(flow_log: FlowLog, accepted: Collection[str]) -> bool:
    named = (
        flow_log.flow_log_id,
        flow_log.log_group_name,
        (flow_log.log_destination or "").removesuffix(":*"),
    )
    return ANY in accepted or any(each in accepted for each in named)
