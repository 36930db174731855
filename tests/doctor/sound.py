"""An installation without a problem, as the doctor reads it, and ways to break it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from msgspec.structs import replace

from flowwarden.doctor.facts import (
    AccountLimits,
    Alarm,
    Delivery,
    Facts,
    FindingService,
    FunctionState,
    Permission,
    Place,
    Rule,
    Runs,
    SinkSecret,
    StackState,
    Table,
    Topic,
    Trail,
)
from flowwarden.enforcer.decide.coverage import Coverage, CoverageVerdict
from flowwarden.enforcer.decide.delivery_role import SERVICE, DeliveryRole
from flowwarden.enforcer.decide.iam_policy import Statement
from flowwarden.enforcer.decide.plan import Plan, Step
from flowwarden.enforcer.state.inventory import FlowLog, LogGroup, Subscription
from flowwarden.parameters import with_defaults
from flowwarden.policy.last_good import PolicyInUse
from flowwarden.policy.made_mutes import MadeMute, id_of
from flowwarden.policy.mutes import Mute
from flowwarden.policy.policy import Policy
from flowwarden.policy.setting import Value
from flowwarden.records.log_format import STACK_LOG_FORMAT

NOW: Final = 1_793_611_800
"""2026-11-02 09:30:00 UTC."""
GROUP: Final = "/flow-warden/flow-logs"
PLACE: Final = Place(
    stack="flow-warden", region="eu-west-1", account="111122223333", partition="aws", now=NOW
)
_LAMBDA: Final = "arn:aws:lambda:eu-west-1:111122223333"
_SNS: Final = "arn:aws:sns:eu-west-1:111122223333"
MONITOR, ENFORCER, DISPATCHER = "MonitorFunction", "EnforcerFunction", "DispatcherFunction"
FUNCTIONS: Final = (MONITOR, ENFORCER, DISPATCHER)
_NAMED: Final = (
    *FUNCTIONS, "MonitorRole", "EnforcerRole", "DispatcherRole", "DeliveryRole", "DispatchSchedule",
    "SweepSchedule", "StateTable",
)  # fmt: skip
RESOURCES: Final = {
    **{each: f"flow-warden-{each}-1A2B" for each in _NAMED},
    "FlowLogGroup": GROUP,
    "PagesTopic": f"{_SNS}:pages",
    "OperationsTopic": f"{_SNS}:operations",
    "NotificationKey": "1a2b-3c4d",
}  # fmt: skip
LAYERS: Final = (f"{_LAMBDA}:layer:Dependencies:1", f"{_LAMBDA}:layer:Flowwarden:7")
MUTE: Final = Mute(detector="scan", subject="10.0.0.5", until="2026-12-24", reason="approved scanner")
LOG_GROUP: Final = LogGroup(name=GROUP, retention_days=30, is_protected=True, created_at=NOW - 90_000)
FORMAT: Final = STACK_LOG_FORMAT.to_log_format()


def arn_of(function: str) -> str:
    """The ARN of a function by its logical id."""
    return f"{_LAMBDA}:function:{RESOURCES[function]}"


def _function(logical_id: str) -> FunctionState:
    return FunctionState(
        name=RESOURCES[logical_id],
        state="Active",
        update="Successful",
        runtime="python3.13",
        layers=LAYERS,
        variables={"LOG_FORMAT": FORMAT, "POLICY": "{}"} if logical_id != DISPATCHER else {},
        on_failure=None if logical_id == DISPATCHER else "arn:aws:sqs:eu-west-1:111122223333:failures",
    )


def _role(service: str) -> DeliveryRole:
    allows = Statement(allows=True, actions=("*",), resources=("*",))
    return DeliveryRole(trusted=(service,), statements=(allows,))


def _rule(logical_id: str, function: str) -> Rule:
    return Rule(name=RESOURCES[logical_id], enabled=True, targets=(arn_of(function),))


def may_invoke(group: str) -> Permission:
    """CloudWatch Logs may invoke the monitor for a log group of the account, as the enforcer grants it."""
    source = f"arn:aws:logs:eu-west-1:111122223333:log-group:{group}:*"
    return Permission(service="logs.amazonaws.com", source=source, account="111122223333", statement_id="s")


def sound() -> Facts:
    """The installation."""
    roles = {
        each: _role("lambda.amazonaws.com") for each in ("MonitorRole", "EnforcerRole", "DispatcherRole")
    }
    events = (
        Permission(service="events.amazonaws.com", source="arn:aws:events:eu-west-1:111122223333:rule/*"),
    )
    logs = (may_invoke(GROUP),)
    filters = (Subscription(name="flow-warden", destination_arn=arn_of(MONITOR)),)
    made = MadeMute(id=id_of(MUTE), mute=MUTE)
    return Facts(
        place=PLACE,
        stack=StackState(status="UPDATE_COMPLETE", created_at=NOW - 90_000, parameters=with_defaults({})),
        resources=RESOURCES,
        functions={each: _function(each) for each in FUNCTIONS},
        permissions={MONITOR: logs, ENFORCER: events, DISPATCHER: events},
        roles={**roles, "DeliveryRole": _role(SERVICE)},
        rules={
            "SweepSchedule": _rule("SweepSchedule", ENFORCER),
            "DispatchSchedule": _rule("DispatchSchedule", DISPATCHER),
        },
        runs={each: Runs(invocations=15, minutes=15) for each in FUNCTIONS},
        groups={GROUP: replace(LOG_GROUP, subscriptions=filters)},
        deliveries={GROUP: Delivery(hours=2, writers=4, incoming=900, delivery_errors=0, expected=4)},
        flow_logs={"fl-1": flow_log()},
        coverage={"vpc-1": plan()},
        topics={name: Topic(arn=f"{_SNS}:{name}", confirmed=1) for name in ("pages", "operations", "chat")},
        services={each: FindingService() for each in ("eventbridge", "securityhub")},
        sinks={"pagerduty": SinkSecret(name="flow-warden/pagerduty")},
        keys={"topics": "Enabled"},
        trails=(Trail(name="management", logging=True, management=True),),
        table=Table(status="ACTIVE", index="ACTIVE", expiry=True, recovery=True, throttled=0),
        queues={"monitor": 0, "enforcer": 0, "events": 0},
        alarms={f"flow-warden/{each}": Alarm(state="OK") for each in ("monitor-errors", "policy-invalid")},
        mutes=(made,),
        policy=PolicyInUse(policy=Policy(), text="{}"),
        limits=AccountLimits(concurrency=1000, unreserved=900),
    )


def plan(coverage: Coverage = Coverage.COVERED, *steps: Step) -> Plan:
    """What the enforcer plans for the VPC, by its coverage."""
    return Plan(
        verdict=CoverageVerdict(vpc_id="vpc-1", coverage=coverage, reason="has no flow log"), steps=steps
    )


def flow_log(**but: Any) -> FlowLog:
    """A flow log of a VPC with the default format, changed by these members or settings."""
    settings: dict[str, Value] = {"log_format": FORMAT, "traffic_type": "ALL"}
    settings |= {name: but.pop(name) for name in list(but) if name in settings}
    found = FlowLog(
        flow_log_id="fl-1",
        resource_id="vpc-1",
        settings=settings,
        log_destination_type="cloud-watch-logs",
        log_group_name=GROUP,
        deliver_logs_status="SUCCESS",
        flow_log_status="ACTIVE",
        creation_time=NOW - 86_400,
        tags={"flow-warden:managed": "flow-warden"},
    )
    return replace(found, **but)


type Break = Callable[[Facts], Facts]


def changed(member: str, name: str, **but: Any) -> Break:
    """Change members of one of the things in a mapping of the facts."""

    def apply(facts: Facts) -> Facts:
        things = dict(getattr(facts, member))
        things[name] = replace(things[name], **but)
        return replace(facts, **{member: things})

    return apply


def instead(member: str, name: str, value: object) -> Break:
    """Put another value into a mapping of the facts."""
    return lambda facts: replace(facts, **{member: {**getattr(facts, member), name: value}})


def whole(member: str, value: object) -> Break:
    """Replace a member of the facts."""
    return lambda facts: replace(facts, **{member: value})


def part(member: str, **but: Any) -> Break:
    """Change members of a member of the facts."""
    return lambda facts: replace(facts, **{member: replace(getattr(facts, member), **but)})
