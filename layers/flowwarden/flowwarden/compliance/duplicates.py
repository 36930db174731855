"""Flow logs of others that record what the wanted one records, which costs as much again. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from hashlib import sha256

from msgspec import Struct

from flowwarden.compliance import costs
from flowwarden.compliance.coverage import Situation, Verdict


class Duplicate(Struct, frozen=True, kw_only=True):
    """What is recorded again in one VPC."""

    vpc_id: str
    flow_log_ids: tuple[str, ...]
    monthly_dollars: float
    """Of all of them together, about: as if each were like the wanted one."""


class Duplicates(Struct, frozen=True, kw_only=True):
    """Those that are to be told."""

    found: tuple[Duplicate, ...] = ()
    quiet_until: int = 0
    """Until when the same ones are not told again, once these were; Unix seconds."""

    @property
    def fingerprint(self) -> str:
        """What stands for just these flow logs."""
        named = sorted(name for each in self.found for name in each.flow_log_ids)
        return sha256(" ".join(named).encode()).hexdigest()[:16]


def duplicates_of(pairs: Iterable[tuple[Situation, Verdict]]) -> tuple[Duplicate, ...]:
    """The duplicates in these VPCs, in their order."""
    return tuple(_of(situation, verdict) for situation, verdict in pairs if verdict.duplicates)


def _of(situation: Situation, verdict: Verdict) -> Duplicate:
    dollars = 0.0
    for each in situation.parts.flow_logs:
        if each.flow_log_id in verdict.duplicates:
            active = sum(
                one.active and each.resource_id in {one.vpc_id, one.subnet_id, one.interface_id}
                for one in situation.parts.interfaces
            )
            dollars += costs.monthly_dollars(situation.desired, active)
    return Duplicate(
        vpc_id=verdict.vpc_id, flow_log_ids=verdict.duplicates, monthly_dollars=round(dollars, 2)
    )
