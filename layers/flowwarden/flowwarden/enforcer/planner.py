"""Turns the observed account into plans: one per VPC, and steps for the log groups that they need. Pure."""

from __future__ import annotations

import math
from collections.abc import Collection, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.enforcer.decide import levels, log_groups
from flowwarden.enforcer.decide.log_groups import LogGroupStep
from flowwarden.enforcer.decide.plan import Create, Plan, PlanContext, Step
from flowwarden.enforcer.decide.vpc_state import VpcState
from flowwarden.enforcer.observe import Observed
from flowwarden.enforcer.state.desired import DesiredFlowLog, level_for, resolved, wanted_for
from flowwarden.enforcer.state.inventory import LogGroup, Vpc, VpcResources
from flowwarden.enforcer.state.selector import selects, selects_gateway
from flowwarden.enforcer.state.stack import Stack
from flowwarden.enforcer.work_queue import WorkItem
from flowwarden.policy.flow_logs import CLOUD_WATCH_LOGS, FlowLogsPolicy, Rule
from flowwarden.policy.transit_gateways import is_gateway

NOTHING = VpcResources()


class Planned(Struct, frozen=True, kw_only=True):
    """The plan for one VPC, and the state that it is based on."""

    vpc_state: VpcState
    plan: Plan
    parts: tuple[Planned, ...] = ()
    """The plans for its subnets or interfaces, if the policy asks for flow logs of these."""

    @property
    def vpc_id(self) -> str:
        """The id of the VPC."""
        return self.vpc_state.vpc.vpc_id

    @property
    def own_steps(self) -> tuple[Step, ...]:
        """The steps that are not those of a part."""
        return self.plan.steps[sum(len(each.plan.steps) for each in self.parts) :]


class Planner:
    """Makes plans from the user's policy, for the stack."""

    def __init__(self, policy: FlowLogsPolicy, stack: Stack) -> None:
        self._policy = policy
        self._stack = stack

    @property
    def accepted_duplicates(self) -> tuple[str, ...]:
        """The duplicates that the policy accepts."""
        return self._policy.accepted_duplicates

    def vpcs(self, observed: Observed, pending: Mapping[str, WorkItem], now: int) -> list[Planned]:
        """The plan for each VPC of the account, in the observed order."""
        return [self.vpc(vpc, observed, pending.get(vpc.vpc_id), now) for vpc in observed.vpcs]

    def vpc(self, vpc: Vpc, observed: Observed, pending: WorkItem | None, now: int) -> Planned:
        """The plan for one VPC."""
        vpc_state = VpcState(
            vpc=vpc,
            parts=observed.resources.get(vpc.vpc_id, NOTHING),
            desired=wanted_for(vpc, self._policy, self._stack),
            stack=self._stack,
            seen=observed.seen,
            at=now,
            adopted=observed.reading.groups if self.adopts(vpc, now) else {},
            level=level_for(vpc, self._policy, self._stack),
            complete=observed.complete if is_gateway(vpc.vpc_id) else observed.parts is not None,
            selected=self._selects(vpc),
        )
        context = PlanContext(
            places=observed.destinations,
            grace_until=pending.grace_until if pending else None,
            backoff_configuration=pending.backoff_configuration if pending else "",
            backoff_until=pending.backoff_until if pending else 0,
            exempt=self._exempt(vpc, now),
        )
        return _planned(vpc_state, context)

    def adopts(self, vpc: Vpc, now: int) -> bool:
        """Whether an unmanaged flow log may cover the VPC, at this time (Unix seconds).

        A rule asks for a certain flow log, and so does a default with another destination.
        """
        here = self._stack.account_id, self._stack.region
        return (
            bool(self._policy.adopted)
            and not is_gateway(vpc.vpc_id)
            and self._policy.default.destination_type == CLOUD_WATCH_LOGS
            and vpc.owner_id in {"", self._stack.account_id}
            and not any(selects(each.where, *here, vpc) for each in self._policy.rules)
            and self._exempt(vpc, now) is None
        )

    def _selects(self, vpc: Vpc) -> bool:
        """Whether the policy asks for a flow log: of a transit gateway only if it selects that."""
        here = self._stack.account_id, self._stack.region
        where = self._policy.transit_gateways.where
        return not is_gateway(vpc.vpc_id) or any(selects_gateway(each, *here, vpc) for each in where)

    def replan(self, planned: Planned, parts: VpcResources) -> Planned:
        """The plan for the same VPC, with newly observed resources."""
        return _planned(replace(planned.vpc_state, parts=parts), PlanContext())

    def groups(self, observed: Observed, plans: Sequence[Planned]) -> dict[str, DesiredFlowLog]:
        """The wanted log groups: those of the policy and those of the flow logs to be created."""
        made = {
            step.flow_log.destination: step.flow_log
            for each in plans
            for step in each.plan.steps
            if isinstance(step, Create)
        }
        desired = [resolved(self._policy.default, self._stack)]
        desired += [
            resolved(rule.flow_log, self._stack) for rule in self._policy.rules if self._is_here(rule)
        ]
        if self._policy.transit_gateways.where:
            desired.append(resolved(self._policy.gateway_spec, self._stack))
        kept = {name: each for name, each in made.items() if self._stack.keeps(name)}
        return kept | log_groups.groups_wanted(desired, observed.log_groups | set(kept), self._stack)

    def _is_here(self, rule: Rule) -> bool:
        """Whether a rule may apply to VPCs of this account and region."""
        where = rule.where
        return (not where.accounts or self._stack.account_id in where.accounts) and (
            not where.regions or self._stack.region in where.regions
        )

    def log_group_steps(
        self,
        wanted: Mapping[str, DesiredFlowLog],
        found: Sequence[LogGroup],
        observed: Observed,
        unread: Collection[str] = (),
        *,
        settled: float = math.inf,
    ) -> tuple[LogGroupStep, ...]:
        """The steps for these log groups, and for those that managed flow logs write into.

        Groups that could not be read are left as they are: whether they exist is unknown. `settled`: see
        `log_groups.keep`.
        """
        known = {name: each for name, each in wanted.items() if name not in unread}
        managed = observed.managed_groups - wanted.keys() - set(unread)
        return tuple(log_groups.keep(known, found, self._stack, managed, settled=settled))

    def _exempt(self, vpc: Vpc, now: int) -> str | None:
        """Why the policy exempts a VPC; None if it does not."""
        if is_gateway(vpc.vpc_id):
            return None
        today = datetime.fromtimestamp(now, UTC).date()
        for each in self._policy.exemptions:
            lasts = each.until is None or today <= each.until
            if lasts and selects(each.where, self._stack.account_id, self._stack.region, vpc):
                return each.reason if each.until is None else f"{each.reason} (until {each.until})"
        return None


def _planned(vpc_state: VpcState, context: PlanContext) -> Planned:
    made = levels.make(vpc_state, context)
    states = levels.parts_of(vpc_state) if made.parts else ()
    parts = (Planned(vpc_state=state, plan=plan) for state, plan in zip(states, made.parts, strict=True))
    return Planned(vpc_state=vpc_state, plan=made, parts=tuple(parts))
