"""Judges the telemetry enablement rules of CloudWatch that switch on VPC Flow Logs. Pure.

Such a rule makes flow logs for the VPCs of an account or an organization. It does not check whether they
deliver, and of two conflicting rules it applies neither. The enforcer never changes a rule, nor the flow logs
that one made.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import combinations
from typing import Final

from msgspec import Struct

from flowwarden.enforcer.decide.drift import is_managed, log_group_of
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.enforcer.state.stack import Stack
from flowwarden.notify.claims import digest
from flowwarden.policy.field_needs import lacking
from flowwarden.policy.log_groups import ANYTHING, covers

DEFAULT_PATTERN: Final = "/aws/vpc/<vpc-id>"
"""The log group of a rule that names none."""
RESOURCE: Final = "<vpc-id>"
ACCOUNT: Final = "<account-id>"


class TelemetryRule(Struct, frozen=True, kw_only=True):
    """A rule that switches on VPC Flow Logs; '' for what it leaves open."""

    name: str
    of_organization: bool = False
    pattern: str = DEFAULT_PATTERN
    """The name of the log group, with `<vpc-id>` and `<account-id>`."""
    log_format: str = ""
    traffic_type: str = ""
    criteria: str = ""
    """Which VPCs it selects; '' for all."""

    @property
    def title(self) -> str:
        """The rule in a sentence."""
        return f"{self.name} of the {'organization' if self.of_organization else 'account'}"


class TelemetryRules(Struct, frozen=True, kw_only=True):
    """The rules of an account, as far as they can be read."""

    rules: tuple[TelemetryRule, ...] = ()
    unread: str = ""
    """Why rules cannot be read; '' if they can."""


class RuleReport(Struct, frozen=True, kw_only=True):
    """What to report about the rules."""

    made: tuple[tuple[str, tuple[str, ...]], ...] = ()
    """The title of each rule, with the flow logs that it probably made."""
    problems: tuple[str, ...] = ()
    unread: str = ""

    @property
    def incident(self) -> str:
        """The incident: another one if a rule or a problem is new, but not for each new VPC."""
        if not self.made:
            return ""
        return digest("telemetry-rules", *(title for title, _ in self.made), *self.problems)


def judge_rules(found: TelemetryRules, listed: Sequence[FlowLog], stack: Stack) -> RuleReport:
    """What to report about these rules, and the flow logs that EC2 lists."""
    made = tuple(
        (each.title, tuple(sorted(one.flow_log_id for one in listed if makes(each, one, stack))))
        for each in found.rules
    )
    problems = (*_conflicts(found.rules), *(one for each in found.rules for one in _faults(each, stack)))
    return RuleReport(made=made, problems=problems, unread=found.unread)


def makes(rule: TelemetryRule, flow_log: FlowLog, stack: Stack) -> bool:
    """Whether a rule probably made this flow log: what the rule determines is as it would be."""
    group = rule.pattern.replace(RESOURCE, flow_log.resource_id).replace(ACCOUNT, stack.account_id)
    return (
        flow_log.resource_id.startswith("vpc-")
        and not is_managed(flow_log, stack)
        and log_group_of(flow_log, stack) == group
        and _agrees(rule.traffic_type, flow_log.traffic_type)
        and _agrees(rule.log_format, flow_log.log_format)
    )


def _agrees(wanted: str, found: str | None) -> bool:
    return not wanted or found is None or " ".join(wanted.split()) == " ".join(found.split())


def _conflicts(rules: Iterable[TelemetryRule]) -> Iterator[str]:
    """Rules that select the same VPCs, as far as their criteria say, and want different flow logs."""
    for one, other in combinations(rules, 2):
        wanted = [(each.pattern, each.log_format, each.traffic_type) for each in (one, other)]
        if one.criteria == other.criteria and wanted[0] != wanted[1]:
            which = f"the VPCs that match {one.criteria!r}" if one.criteria else "all VPCs"
            yield (
                f"{one.title} and {other.title} ask for different flow logs of {which}, so CloudWatch may "
                "apply neither: delete one, or give both the same settings"
            )


def _faults(rule: TelemetryRule, stack: Stack) -> Iterator[str]:
    """Why the flow logs of a rule cannot cover a VPC."""
    if rule.traffic_type not in {"", "ALL"}:
        yield f"{rule.title} records only {rule.traffic_type} traffic: set its TrafficType to ALL"
    if missing := lacking(rule.log_format or None):
        fields = ", ".join(missing)
        yield f"{rule.title}: its LogFormat lacks {fields}, without which records cannot be judged: add them"
    pattern = f"{rule.pattern.partition('<')[0]}{ANYTHING}" if "<" in rule.pattern else rule.pattern
    if stack.existing and not any(covers(each, pattern) for each in stack.existing):
        yield (
            f"{rule.title} delivers to {rule.pattern}, which the policy does not read: add "
            f'{{"name": "{pattern}"}} to log_groups in the policy'
        )
