"""Unmanaged flow logs that record the same traffic as the wanted one, at the same cost again. Pure."""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct

from flowwarden.enforcer.decide import cost
from flowwarden.enforcer.decide.coverage import CoverageVerdict, VpcState
from flowwarden.notify.claims import digest


class Duplicate(Struct, frozen=True, kw_only=True):
    """The duplicates in one VPC."""

    vpc_id: str
    flow_log_ids: tuple[str, ...]
    monthly_dollars: float
    """The estimated total cost, as if each were configured like the wanted one."""


def duplicates_of(pairs: Iterable[tuple[VpcState, CoverageVerdict]]) -> tuple[Duplicate, ...]:
    """The duplicates in these VPCs, in the given order."""
    return tuple(_of(vpc_state, verdict) for vpc_state, verdict in pairs if verdict.duplicates)


def incident_of(duplicates: Iterable[Duplicate]) -> str:
    """The incident for exactly these flow logs, so that new duplicates are reported immediately."""
    return digest("duplicates", *sorted(name for each in duplicates for name in each.flow_log_ids))


def _of(vpc_state: VpcState, verdict: CoverageVerdict) -> Duplicate:
    dollars = 0.0
    for each in vpc_state.parts.flow_logs:
        if each.flow_log_id in verdict.duplicates:
            active = sum(one.at_work for one in vpc_state.watched_by(each))
            dollars += cost.monthly_dollars(vpc_state.desired, active)
    return Duplicate(
        vpc_id=verdict.vpc_id, flow_log_ids=verdict.duplicates, monthly_dollars=round(dollars, 2)
    )
