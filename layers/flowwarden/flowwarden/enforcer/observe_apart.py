"""Lists an account VPC by VPC after a listing of all of it has failed.

A listing fails as a whole because of one page or one resource. `ListedApart` answers the same calls from
smaller listings, and notes the VPCs about which EC2 does not answer; they are left out, so that nothing is
decided about them with half of the facts. It is slower, so it is used only after a failure.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from msgspec.structs import replace

from flowwarden.enforcer.execute.isolate import isolate
from flowwarden.enforcer.observe import Observed, observe
from flowwarden.enforcer.ports import Listings, RunClock
from flowwarden.enforcer.registry import Registry
from flowwarden.enforcer.state.inventory import FlowLog, Subnet, Unread, Vpc
from flowwarden.enforcer.state.stack import Stack
from flowwarden.errors import EnforcementError
from flowwarden.network.interface import NetworkInterface
from flowwarden.state.ports import EvidenceStore


class ListedApart:
    """The listings of one observation: implements `ports.Listings`. `vpcs` must be called first."""

    def __init__(self, ec2: Listings, clock: RunClock) -> None:
        self._ec2 = ec2
        self._clock = clock
        self._vpc_ids: list[str] = []
        self._gateway_ids: list[str] = []
        self.failed: dict[str | None, EnforcementError] = {}
        """By VPC, why it could not be listed; None stands for the VPCs after a page that failed."""

    def vpcs(self, vpc_ids: Sequence[str] | None) -> list[Vpc]:
        """The named VPCs, or all of them up to the page that fails."""
        found = self._pages() if vpc_ids is None else self._of_vpcs(self._ec2.vpcs, vpc_ids)
        self._vpc_ids = [each.vpc_id for each in found]
        return found

    def flow_logs(self, resource_ids: Sequence[str] | None) -> list[FlowLog]:
        """The flow logs of the VPCs and of their subnets and interfaces."""
        whole = [*self._vpc_ids, *self._gateway_ids]
        own = self._of_vpcs(self._ec2.flow_logs, whole if resource_ids is None else resource_ids)
        if resource_ids is not None:
            return own
        vpc_of = {each.subnet_id: each.vpc_id for each in self.subnets(None)}
        vpc_of |= {each.interface_id: each.vpc_id for each in self.interfaces(None)}
        return own + self._isolated(self._ec2.flow_logs, list(vpc_of), vpc_of)

    def interfaces(self, vpc_ids: Sequence[str] | None) -> list[NetworkInterface]:
        """The interfaces in the VPCs."""
        return self._of_vpcs(self._ec2.interfaces, self._vpc_ids if vpc_ids is None else vpc_ids)

    def subnets(self, vpc_ids: Sequence[str] | None) -> list[Subnet]:
        """The subnets of the VPCs."""
        return self._of_vpcs(self._ec2.subnets, self._vpc_ids if vpc_ids is None else vpc_ids)

    def transit_gateways(self, gateway_ids: Sequence[str] | None) -> list[Vpc]:
        """As EC2 answers: `observe` reports a failure, and continues."""
        found = list(self._ec2.transit_gateways(gateway_ids))
        self._gateway_ids = [each.vpc_id for each in found]
        return found

    def running(self, instance_ids: Sequence[str] | None) -> Iterable[tuple[str, int | None]]:
        """As EC2 answers: `observe` reports a failure, and continues."""
        return self._ec2.running(instance_ids)

    def unread(self) -> Sequence[Unread]:
        """As EC2's answers were read."""
        return self._ec2.unread()

    def _pages(self) -> list[Vpc]:
        found: list[Vpc] = []
        try:
            for each in self._ec2.vpcs(None):
                found.append(each)  # noqa: PERF402  what came before the failure is kept
        except EnforcementError as error:
            self.failed[None] = error
        return found

    def _of_vpcs[Found](
        self, call: Callable[[Sequence[str]], Iterable[Found]], vpc_ids: Sequence[str]
    ) -> list[Found]:
        return self._isolated(call, [each for each in vpc_ids if each not in self.failed])

    def _isolated[Found](
        self,
        call: Callable[[Sequence[str]], Iterable[Found]],
        names: Sequence[str],
        vpc_of: Mapping[str, str] | None = None,
    ) -> list[Found]:
        result = isolate(lambda some: list(call(some)), names, self._clock)
        for name, error in result.failed.items():
            self.failed.setdefault(name if vpc_of is None else vpc_of[name], error)
        return [each for answer in result.answers for each in answer]


def observe_apart(
    listed: ListedApart,
    evidence: EvidenceStore,
    registry: Registry,
    stack: Stack,
    vpc_ids: Sequence[str] | None,
    now: int,
) -> Observed:
    """Like `observe`, without the VPCs about which EC2 does not answer; those are in `unlisted`.

    Args:
        listed: the listings, for this observation alone.
        evidence: what the monitor stored.
        registry: what the enforcer stored about flow logs.
        stack: the stack that decides which flow logs and log groups are managed.
        vpc_ids: the VPCs; None for all of them.
        now: Unix seconds.

    Raises:
        EnforcementError: EC2 answers about no VPC at all.
    """
    observed = observe(listed, evidence, registry, stack, vpc_ids, now)
    known = tuple(each for each in observed.vpcs if each.vpc_id not in listed.failed)
    if listed.failed and not known:
        raise next(iter(listed.failed.values()))
    return replace(observed, vpcs=known, unlisted=listed.failed, complete=False)
