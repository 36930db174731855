"""What happened to the subscriptions of existing log groups, as entries of a report. Pure.

A new subscription is reported once, with the flow logs that it reads (`Topic.READ`). So only the restoration
of a lost filter is a repair. A group that cannot be subscribed is also reported once, with its flow logs
(`Topic.NOT_READ`): their VPCs get managed flow logs, so all traffic stays visible. If no flow log delivers to
it, but the policy names it in full, it is a recurring incident.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator

from flowwarden.enforcer.decide.drift import log_group_of
from flowwarden.enforcer.decide.subscriptions import Subscribe, Unsubscribe
from flowwarden.enforcer.decide.unmanaged import Topic
from flowwarden.enforcer.registry import Registry
from flowwarden.enforcer.reporting.recurring import Scope
from flowwarden.enforcer.reporting.report import Remediation
from flowwarden.enforcer.state.inventory import FlowLog
from flowwarden.notify.claims import digest


def report(listed: Iterable[FlowLog], registry: Registry, scope: Scope) -> Iterator[Remediation]:
    """The entries: filters that were restored or removed, groups without one, and calls that failed."""
    delivering = _delivering(listed, scope)
    known = {each.flow_log_id for each in registry.known.values() if Topic.READ in each.reported}
    for step in scope.reading.steps:
        flow_logs = delivering.get(step.group, frozenset())
        lost = isinstance(step, Subscribe) and (not flow_logs or bool(flow_logs & known))
        if lost or isinstance(step, Unsubscribe):
            yield Remediation(resource=step.group, summary=step.reason)
    for group, reason in sorted(scope.reading.impossible.items()):
        if (
            group not in delivering
        ):  # the policy names it in full; the flow logs of others are reported instead
            summary = f"the monitor cannot be subscribed to this existing log group: {reason}"
            incident = digest("unsubscribed", group, reason)
            yield Remediation(
                resource=group, summary=summary, applied=False, incident=incident, every_run=False
            )
    for name, reason in sorted(scope.reading.failed.items()):
        summary = f"subscription of existing log groups: {reason}"
        yield Remediation(resource=name, summary=summary, applied=False)


def _delivering(listed: Iterable[FlowLog], scope: Scope) -> dict[str, frozenset[str]]:
    """The flow logs that deliver to each log group."""
    found: dict[str, frozenset[str]] = {}
    for each in listed:
        group = log_group_of(each, scope.stack)
        if group is not None:
            found[group] = found.get(group, frozenset()) | {each.flow_log_id}
    return found
