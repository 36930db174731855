"""Broken states of an installation by the name of the problem that the doctor must report."""

from __future__ import annotations

from typing import Final

from msgspec.structs import replace

from flowwarden.doctor.fact import known
from flowwarden.doctor.facts import Delivery, Facts, Permission, Topic, Trail
from flowwarden.enforcer.decide.coverage import Coverage
from flowwarden.enforcer.decide.iam_policy import Statement
from flowwarden.enforcer.decide.plan import Wait
from flowwarden.enforcer.state.inventory import LogGroup, Subscription
from flowwarden.parameters import with_defaults
from flowwarden.policy.flow_logs import FlowLogsPolicy
from flowwarden.policy.last_good import Origin, PolicyInUse
from flowwarden.policy.mutes import Mute
from flowwarden.policy.policy import Policy
from tests.doctor.sound import (
    DISPATCHER,
    ENFORCER,
    FORMAT,
    GROUP,
    LAYERS,
    MONITOR,
    NOW,
    Break,
    arn_of,
    changed,
    flow_log,
    instead,
    may_invoke,
    part,
    plan,
    whole,
)

THEIRS: Final = "/aws/vpc/vpc-1"
_OTHER: Final = Subscription(name="archive", destination_arn="arn:aws:firehose:eu-west-1:111122223333:x")
_ALARM: Final = "flow-warden/monitor-errors"
_DENY: Final = Statement(allows=False, actions=("sns:Publish",), resources=("*",))
_ALLOW: Final = Statement(allows=True, actions=("*",), resources=("*",))


def _delivery(**but: object) -> Break:
    return changed("deliveries", GROUP, **but)


def _flow_log(**but: object) -> Break:
    return instead("flow_logs", "fl-1", flow_log(**but))


def _without(*fields: str) -> str:
    return " ".join(each for each in FORMAT.split() if each.strip("${}") not in fields)


def _policy(**but: object) -> PolicyInUse:
    return PolicyInUse(policy=Policy(mutes=(Mute(detector="scan", reason="x", **but),)))  # type: ignore[arg-type]


def _reporting(*detectors: str) -> PolicyInUse:
    return PolicyInUse(policy=Policy(report_only=detectors))


def _unlisted(digests: str) -> Break:
    stack = part("stack", parameters=with_defaults({"Digests": digests}))
    return lambda facts: whole("policy", _reporting("scan"))(stack(facts))


def _own_filter(facts: Facts) -> tuple[Subscription, ...]:
    group = facts.groups[GROUP]
    return group.subscriptions if isinstance(group, LogGroup) else ()


def _unprotected() -> PolicyInUse:
    return PolicyInUse(policy=Policy(flow_logs=FlowLogsPolicy(deletion_protection=False)))


_WAIT: Final = Wait(vpc_id="vpc-1", reason="new", after=60)
_WAITING: Final = plan(Coverage.UNCOVERED, _WAIT)
_UNCOVERED: Final = plan(Coverage.UNCOVERED)
STATES: Final[dict[str, tuple[Break, ...]]] = {
    "stack-broken": tuple(
        part("stack", status=each)
        for each in ("ROLLBACK_COMPLETE", "UPDATE_ROLLBACK_FAILED", "DELETE_FAILED", "DELETE_IN_PROGRESS", "")
    ),
    "stack-rolled-back": (part("stack", status="UPDATE_ROLLBACK_COMPLETE", reason="policy: not JSON"),),
    "stack-changing": (part("stack", status="UPDATE_IN_PROGRESS"),),
    "stack-drifted": (part("stack", drift="DRIFTED"),),
    "function-missing": tuple(instead("functions", each, None) for each in (MONITOR, ENFORCER, DISPATCHER)),
    "function-not-ready": (changed("functions", MONITOR, state="Failed", state_reason="the role is gone"),),
    "function-update-failed": (changed("functions", MONITOR, update="Failed"),),
    "function-runtime": (changed("functions", ENFORCER, runtime="python3.9"),),
    "function-layers": (
        changed("functions", MONITOR, layers=LAYERS[:1]),
        changed("functions", DISPATCHER, layers=(LAYERS[0], f"{LAYERS[1]}1")),
    ),
    "function-stopped": (changed("functions", ENFORCER, reserved=0),),
    "function-settings": (changed("functions", MONITOR, variables={"LOG_FORMAT": "${version}"}),),
    "enforcer-dry-run": (changed("functions", ENFORCER, variables={"DRY_RUN": "true"}),),
    "function-failures-lost": (changed("functions", ENFORCER, on_failure=None),),
    "role-missing": (instead("roles", "DeliveryRole", None), instead("roles", "MonitorRole", None)),
    "role-untrusted": (
        changed("roles", "DeliveryRole", trusted=()),
        changed("roles", "MonitorRole", trusted=("ec2.amazonaws.com",)),
    ),
    "role-denied": (
        changed("roles", "DeliveryRole", statements=()),
        changed("roles", "DispatcherRole", statements=(_ALLOW, _DENY)),
        changed("roles", "EnforcerRole", statements=()),
    ),
    "role-bounded": (changed("roles", "MonitorRole", boundary="arn:aws:iam::111122223333:policy/x"),),
    "invocation-denied": (
        instead("permissions", MONITOR, None),
        instead("permissions", DISPATCHER, (Permission(service="logs.amazonaws.com"),)),
        instead(
            "permissions",
            MONITOR,
            (may_invoke("/other"),),
        ),
    ),
    "invocation-open": tuple(
        lambda facts, source=source: instead(  # type: ignore[misc]  # the type of a default is not inferred
            "permissions",
            MONITOR,
            (may_invoke(GROUP), Permission(service="logs.amazonaws.com", source=source)),
        )(facts)
        for source in ("", f"arn:aws:logs:*:*:log-group:{GROUP}:*")
    ),
    "rule-missing": (instead("rules", "DispatchSchedule", None),),
    "rule-disabled": (changed("rules", "DispatchSchedule", enabled=False),),
    "rule-without-target": (
        changed("rules", "SweepSchedule", targets=()),
        changed("rules", "SweepSchedule", targets=(arn_of(DISPATCHER),)),
    ),
    "function-idle": (
        changed("runs", DISPATCHER, invocations=0),
        changed("runs", ENFORCER, invocations=0),
    ),
    "function-failing": (changed("runs", MONITOR, errors=15),),
    "function-throttled": (changed("runs", MONITOR, throttles=3),),
    "concurrency-low": (part("limits", concurrency=10, unreserved=10),),
    "log-group-missing": (instead("groups", GROUP, None),),
    "log-group-class": (changed("groups", GROUP, log_class="INFREQUENT_ACCESS", subscriptions=()),),
    "subscription-missing": (
        changed("groups", GROUP, subscriptions=()),
        changed("groups", GROUP, subscriptions=(_OTHER,)),
    ),
    "subscription-quota": (changed("groups", GROUP, subscriptions=(_OTHER, _OTHER)),),
    "subscription-partial": (
        changed(
            "groups",
            GROUP,
            subscriptions=(Subscription(name="f", destination_arn=arn_of(MONITOR), pattern="REJECT"),),
        ),
    ),
    "log-group-unprotected": (changed("groups", GROUP, is_protected=False),),
    "flow-logs-missing": (whole("flow_logs", {"flow logs": None}),),
    "vpc-uncovered": (
        instead("coverage", "vpc-1", plan(Coverage.UNCOVERED)),
        # What one subnet waits for excuses no other.
        instead("coverage", "vpc-1", replace(plan(Coverage.UNCOVERED, _WAIT), parts=(_WAITING, _UNCOVERED))),
    ),
    "vpc-not-delivered": (instead("coverage", "vpc-1", plan(Coverage.BROKEN)),),
    "flow-log-failed": (
        _flow_log(deliver_logs_status="FAILED", deliver_logs_error_message="Access error"),
        _flow_log(deliver_logs_status="FAILED"),
    ),
    "flow-log-inactive": (_flow_log(flow_log_status="DELETING"),),
    "flow-log-partial": (_flow_log(traffic_type="REJECT"),),
    "format-unreadable": (_flow_log(log_format="${srcaddr} oops"), _flow_log(log_format="")),
    "format-insufficient": (_flow_log(log_format=_without("action", "dstport")),),
    "format-lacks-fields": (
        _flow_log(log_format=_without("tcp-flags")),
        _flow_log(log_format=_without("subnet-id")),
    ),
    "records-unseen": (_delivery(writers=0), _delivery(writers=None)),
    "records-missing": (_delivery(writers=0, incoming=0), _delivery(writers=0, incoming=None)),
    "delivery-errors": (_delivery(delivery_errors=7),),
    "table-missing": (whole("table", None),),
    "table-not-active": (part("table", status="INACCESSIBLE_ENCRYPTION_CREDENTIALS"),),
    "table-index": (part("table", index=""), part("table", index="CREATING")),
    "table-without-expiry": (part("table", expiry=False),),
    "table-without-recovery": (part("table", recovery=False),),
    "table-throttled": (part("table", throttled=12),),
    "policy-not-used": tuple(
        whole("policy", PolicyInUse(policy=Policy(), origin=each, problem="policy: not JSON"))
        for each in Origin
        if each is not Origin.CONFIGURED
    ),
    "detectors-report-only": (whole("policy", _reporting("scan", "egress-volume")),),
    "report-only-not-listed": tuple(_unlisted(each) for each in ("daily", "no")),
    "mute-ending": (
        whole("policy", _policy(until="2026-11-05")),
        whole("policy", _policy(until="2026-11-08")),
    ),
    "mute-ended": (whole("policy", _policy(until="2026-11-01")),),
    "topic-missing": (instead("topics", "pages", None), instead("topics", "operations", None)),
    "pages-unsubscribed": (changed("topics", "pages", confirmed=0),),
    "operations-unsubscribed": (changed("topics", "operations", confirmed=0),),
    "topic-unconfirmed": (instead("topics", "pages", Topic(arn="arn:aws:sns:x", pending=1)),),
    "topic-partly-confirmed": (changed("topics", "operations", pending=2),),
    "sink-secret-missing": (instead("sinks", "pagerduty", None),),
    "sink-secret-deleted": (changed("sinks", "pagerduty", deleting=True),),
    "chat-unsubscribed": (changed("topics", "chat", confirmed=0),),
    "event-bus-missing": (changed("services", "eventbridge", exists=False),),
    "security-hub-disabled": (changed("services", "securityhub", exists=False),),
    "key-missing": (instead("keys", "topics", None),),
    "key-unusable": (
        instead("keys", "topics", "PendingDeletion"),
        instead("keys", "log groups", "Disabled"),
    ),
    "queue-missing": (instead("queues", "monitor", None),),
    "queue-filled": (instead("queues", "monitor", 3), instead("queues", "events", 1)),
    "alarm-missing": (instead("alarms", _ALARM, None),),
    "alarm-raised": (changed("alarms", _ALARM, state="ALARM", reason="Threshold crossed"),),
    "alarm-without-action": (changed("alarms", _ALARM, notifies=False),),
    "trail-missing": (whole("trails", ()), whole("trails", None)),
    "trail-stopped": (whole("trails", (Trail(name="t", logging=False, management=True),)),),
    "trail-without-management-events": (whole("trails", (Trail(name="t", logging=True, management=False),)),),
}
"""By the name of the problem; each state is broken in this way only."""

SOUND_TOO: Final[dict[str, Break]] = {
    "the dispatcher has not run yet in a new stack": lambda facts: part("stack", created_at=NOW - 60)(
        changed("runs", DISPATCHER, invocations=0)(facts)
    ),
    "the monitor has nothing to do without records": changed("runs", MONITOR, invocations=0),
    "some runs fail": changed("runs", MONITOR, errors=3),
    "a function has not run for weeks": changed("functions", ENFORCER, state="Inactive"),
    "a reservation": changed("functions", MONITOR, reserved=50),
    "a second filter of another tool": changed(
        "groups",
        GROUP,
        subscriptions=(_OTHER, Subscription(name="ours", destination_arn=arn_of(MONITOR))),
    ),
    "a group without protection in a Region that does not describe it": changed(
        "groups", GROUP, is_protected=None
    ),
    "a group that the enforcer does not protect yet": changed(
        "groups", GROUP, is_protected=False, created_at=NOW - 60
    ),
    "a policy that does not ask for protection": lambda facts: changed("groups", GROUP, is_protected=False)(
        whole("policy", _unprotected())(facts)
    ),
    "an unprotected group that the enforcer does not manage": lambda facts: instead(
        "groups", THEIRS, LogGroup(name=THEIRS, subscriptions=_own_filter(facts), is_protected=False)
    )(instead("permissions", MONITOR, (*known(facts.permissions[MONITOR], ()), may_invoke(THEIRS)))(facts)),
    "a permission for any source of the account": instead(
        "permissions",
        MONITOR,
        (may_invoke(GROUP), Permission(service="logs.amazonaws.com", account="111122223333")),
    ),
    "a permission for any group of the account": instead(
        "permissions", MONITOR, (replace(may_invoke("*"), account=""),)
    ),
    "no active interface": _delivery(writers=0, incoming=0, expected=0),
    "no flow log and no VPC": whole("flow_logs", {}),
    "no flow log, and the policy exempts every VPC": lambda facts: whole("flow_logs", {"flow logs": None})(
        instead("coverage", "vpc-1", plan(Coverage.EXEMPT))(facts)
    ),
    "no flow log, and other accounts own the VPCs": lambda facts: whole("flow_logs", {"flow logs": None})(
        instead("coverage", "vpc-1", plan(Coverage.SKIPPED))(facts)
    ),
    "a flow log that is not verified yet": instead("coverage", "vpc-1", plan(Coverage.UNPROVEN)),
    "a new VPC in its grace period": instead("coverage", "vpc-1", _WAITING),
    "a new VPC whose subnets are in its grace period": instead(
        "coverage", "vpc-1", replace(_WAITING, parts=(_WAITING, plan(Coverage.COVERED)))
    ),
    "the format is not described": _flow_log(log_format=None),
    "an alarm without data": changed("alarms", _ALARM, state="INSUFFICIENT_DATA"),
    "a second trail that does not log": whole(
        "trails", (Trail(name="old", logging=False), Trail(name="t", logging=True, management=True))
    ),
    "a mute without end": whole("policy", _policy(until="never")),
    "heartbeats although the metrics lag": instead(
        "deliveries", GROUP, Delivery(hours=2, writers=3, incoming=0, expected=4)
    ),
}
"""States that look similar and are no problem."""
