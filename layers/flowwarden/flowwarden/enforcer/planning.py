"""From a look at the account to what shall be done: a plan for each VPC, and for what is kept around them."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from datetime import UTC, datetime

from msgspec import Struct
from msgspec.structs import replace

from flowwarden.enforcer.decide import log_groups, plan
from flowwarden.enforcer.decide.coverage import Situation
from flowwarden.enforcer.decide.log_groups import Upkeep
from flowwarden.enforcer.decide.plan import Circumstances, Create, Plan
from flowwarden.enforcer.observe import World
from flowwarden.enforcer.state.desired import DesiredFlowLog, resolved, wanted_for
from flowwarden.enforcer.state.inventory import LogGroup, Parts, Vpc
from flowwarden.enforcer.state.selector import selects
from flowwarden.enforcer.state.stack import House
from flowwarden.enforcer.work_item import Pending
from flowwarden.policy.flow_logs import ENOUGH, FlowLogsPolicy, Rule

NOTHING = Parts()


class Planned(Struct, frozen=True, kw_only=True):
    """What one VPC's plan is made from, and the plan."""

    situation: Situation
    plan: Plan

    @property
    def vpc_id(self) -> str:
        """Of the VPC."""
        return self.situation.vpc.vpc_id


class Planning:
    """Makes plans by the user's policy, for the stack's house."""

    def __init__(self, policy: FlowLogsPolicy, house: House) -> None:
        self._policy = policy
        self._house = house

    def vpcs(self, world: World, pending: Mapping[str, Pending], now: int) -> list[Planned]:
        """The plan for each VPC of a world, in their order."""
        return [self.vpc(vpc, world, pending.get(vpc.vpc_id), now) for vpc in world.vpcs]

    def vpc(self, vpc: Vpc, world: World, pending: Pending | None, now: int) -> Planned:
        """The plan for one VPC."""
        situation = Situation(
            vpc=vpc,
            parts=world.parts.get(vpc.vpc_id, NOTHING),
            desired=wanted_for(vpc, self._policy, self._house),
            house=self._house,
            seen=world.seen,
            at=now,
            foreign_is_enough=self._policy.foreign == ENOUGH,
        )
        circumstances = Circumstances(
            places=world.places,
            grace_until=pending.grace_until if pending else None,
            held=pending.held if pending else "",
            held_until=pending.held_until if pending else 0,
            exempt=self._exempt(vpc, now),
        )
        return Planned(situation=situation, plan=plan.make(situation, circumstances))

    def again(self, planned: Planned, parts: Parts) -> Planned:
        """The plan for the same VPC, with what a second look found."""
        situation = replace(planned.situation, parts=parts)
        return Planned(situation=situation, plan=plan.make(situation, Circumstances()))

    def groups(self, world: World, plans: Sequence[Planned]) -> dict[str, DesiredFlowLog]:
        """The log groups that are wanted: of the policy, of the VPCs, and of the flow logs to be made."""
        made = {
            step.flow_log.destination: step.flow_log
            for each in plans
            for step in each.plan.steps
            if isinstance(step, Create)
        }
        desired = [resolved(self._policy.default, self._house)]
        desired += [
            resolved(rule.flow_log, self._house) for rule in self._policy.rules if self._is_here(rule)
        ]
        kept = {name: each for name, each in made.items() if self._house.keeps(name)}
        return kept | log_groups.groups_wanted(desired, world.groups | set(kept), self._house)

    def _is_here(self, rule: Rule) -> bool:
        """Whether a rule may be about VPCs of this account and region."""
        where = rule.where
        return (not where.accounts or self._house.account_id in where.accounts) and (
            not where.regions or self._house.region in where.regions
        )

    def upkeep(
        self, wanted: Mapping[str, DesiredFlowLog], found: list[LogGroup], world: World
    ) -> Iterator[Upkeep]:
        """What is to be done about these log groups, and about those that our flow logs write into."""
        return log_groups.keep(wanted, found, self._house, world.ours)

    def _exempt(self, vpc: Vpc, now: int) -> str | None:
        """Why policy says that a VPC needs no flow log; None if it needs one."""
        today = datetime.fromtimestamp(now, UTC).date()
        for each in self._policy.exemptions:
            lasts = each.until is None or today <= each.until
            if lasts and selects(each.where, self._house.account_id, self._house.region, vpc):
                return each.reason if each.until is None else f"{each.reason} (until {each.until})"
        return None
