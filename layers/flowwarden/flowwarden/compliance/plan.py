"""What to do about a verdict: ordered steps as data that can be printed before anything is done."""

from __future__ import annotations

from msgspec import Struct

from flowwarden.compliance.coverage import Coverage, Verdict


class Create(Struct, frozen=True, kw_only=True, tag=True):
    """Create the wanted flow log in this VPC."""

    vpc_id: str
    reason: str


class Report(Struct, frozen=True, kw_only=True, tag=True):
    """Tell people: this VPC needs somebody."""

    vpc_id: str
    reason: str


type Step = Create | Report


def make(verdict: Verdict) -> tuple[Step, ...]:
    """The steps for one VPC; none where nothing is to be done."""
    match verdict.coverage:
        case Coverage.UNCOVERED:
            return (Create(vpc_id=verdict.vpc_id, reason=verdict.reason),)
        case Coverage.BROKEN:
            return (Report(vpc_id=verdict.vpc_id, reason=verdict.reason),)
        case Coverage.COVERED | Coverage.SKIPPED:
            return ()
