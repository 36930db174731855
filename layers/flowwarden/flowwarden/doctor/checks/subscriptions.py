"""Whether each log group sends every line to the monitor."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Final

from flowwarden.doctor.check import Check
from flowwarden.doctor.facts import Facts, Place
from flowwarden.doctor.line import Found, Problem, Verdict
from flowwarden.enforcer.state.inventory import STANDARD, LogGroup, Subscription
from flowwarden.policy.flow_logs import CLASS_REMEDY

MOST_FILTERS: Final = 2
"""CloudWatch Logs' quota for one log group, which cannot be raised."""

MISSING: Final = Problem(
    name="log-group-missing",
    verdict=Verdict.FAILED,
    text="the log group does not exist",
    fix="the next sweep of the enforcer creates it; start one as docs/installing.md describes, or run "
    "flowwarden plan --stack {stack} --region {region} to see why it does not",
)
WRONG_CLASS: Final = Problem(
    name="log-group-class",
    verdict=Verdict.FAILED,
    text="the log group has the class {log_class}, which takes no subscription filter, so the monitor sees "
    "none of its records",
    fix=CLASS_REMEDY,
)
UNSUBSCRIBED: Final = Problem(
    name="subscription-missing",
    verdict=Verdict.FAILED,
    text="no subscription filter of the log group sends to the monitor",
    fix="aws logs put-subscription-filter --log-group-name {group} --filter-name {stack} --filter-pattern "
    "'' --destination-arn {monitor} --region {region}",
)
QUOTA: Final = Problem(
    name="subscription-quota",
    verdict=Verdict.FAILED,
    text=f"the log group has {MOST_FILTERS} subscription filters, the maximum, and none sends to the "
    f"monitor: {{others}}",
    fix="delete one that is not needed: aws logs delete-subscription-filter --log-group-name {group} "
    "--filter-name FILTER --region {region}; the next sweep of the enforcer adds its own",
)
PARTIAL: Final = Problem(
    name="subscription-partial",
    verdict=Verdict.FAILED,
    text="the subscription filter {filter} sends the monitor only lines that match {pattern}",
    fix="aws logs put-subscription-filter --log-group-name {group} --filter-name {filter} --filter-pattern "
    "'' --destination-arn {monitor} --region {region}",
)


def _judge(name: str, group: LogGroup, facts: Facts) -> Iterator[Found]:
    monitor = monitor_arn(facts.place, facts.resources)
    own = [each for each in group.subscriptions if each.destination_arn == monitor]
    if group.log_class != STANDARD:
        yield WRONG_CLASS.of(log_class=group.log_class)
    elif not own and len(group.subscriptions) >= MOST_FILTERS:
        yield QUOTA.of(others=", ".join(map(_described, group.subscriptions)), group=name)
    elif not own:
        yield UNSUBSCRIBED.of(group=name, monitor=monitor)
    elif all(each.pattern for each in own):
        yield PARTIAL.of(filter=own[0].name, pattern=own[0].pattern, group=name, monitor=monitor)


def _described(subscription: Subscription) -> str:
    return f"{subscription.name} to {subscription.destination_arn}"


def monitor_arn(place: Place, resources: Mapping[str, str]) -> str:
    """The ARN of the monitor, to which subscription filters must send."""
    name = resources.get("MonitorFunction", "")
    return f"arn:{place.partition}:lambda:{place.region}:{place.account}:function:{name}"


CHECK: Final = Check(
    name="subscriptions",
    verifies="each log group that the monitor should read exists, and sends every line to the monitor",
    sound="every line is sent to the monitor",
    subjects=lambda facts: facts.groups,
    judge=_judge,
    missing=MISSING,
    problems=(MISSING, WRONG_CLASS, UNSUBSCRIBED, QUOTA, PARTIAL),
)
