"""Lists the transit gateways of the account, if the policy selects some or a managed flow log is that of one.

A failure hides no VPC: it is reported, and the sweep continues without transit gateways.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Final

from msgspec import Struct

from flowwarden.enforcer.ports import Listings
from flowwarden.enforcer.registry import Registry
from flowwarden.enforcer.reporting.report import Remediation
from flowwarden.enforcer.state.inventory import Vpc
from flowwarden.enforcer.state.stack import Stack
from flowwarden.errors import EnforcementError
from flowwarden.policy.transit_gateways import is_gateway

SUBJECT: Final = "transit gateways"


class Gateways(Struct, frozen=True, kw_only=True):
    """The transit gateways that were listed."""

    found: tuple[Vpc, ...] = ()
    listed: bool = False
    """Whether they were listed, so that one that is not among them does not exist."""
    fault: EnforcementError | None = None
    """Why they could not be listed."""
    unlisted: Mapping[str | None, EnforcementError] = {}
    """The same for each that was asked for."""

    @property
    def problems(self) -> tuple[Remediation, ...]:
        """The report of the fault."""
        if self.fault is None:
            return ()
        summary = f"cannot be listed, so their flow logs were not checked: {self.fault}"
        return (Remediation(resource=SUBJECT, summary=summary, applied=False),)


def gateways_of(ec2: Listings, registry: Registry, stack: Stack, named: Sequence[str] | None) -> Gateways:
    """The transit gateways with these ids, or all for None; other ids are ignored."""
    ids = None if named is None else [each for each in named if is_gateway(each)]
    wanted = stack.lists_gateways or registry.has_gateways
    if not (ids or (ids is None and wanted)):
        return Gateways()
    try:
        found = sorted(ec2.transit_gateways(ids), key=lambda each: each.vpc_id)
    except EnforcementError as error:
        return Gateways(fault=error, unlisted=dict.fromkeys(ids or (), error))
    return Gateways(found=tuple(found), listed=ids is None)
