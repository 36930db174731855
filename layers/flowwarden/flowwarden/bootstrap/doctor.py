"""Reads what `flowwarden doctor` checks, with the caller's credentials. Each call may be refused."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import partial
from typing import Final

from msgspec.structs import replace

from flowwarden.aws.caller_errors import classify_own
from flowwarden.aws.doctor.functions import FunctionReader
from flowwarden.aws.doctor.metrics import Metric, MetricReader
from flowwarden.aws.doctor.notifying import key_state, messages, topic
from flowwarden.aws.doctor.rules import RuleReader
from flowwarden.aws.doctor.secrets import secret
from flowwarden.aws.doctor.services import bus, security_hub
from flowwarden.aws.doctor.stack import own_client
from flowwarden.aws.doctor.table import TableReader
from flowwarden.aws.doctor.trails import TrailReader
from flowwarden.aws.iam import Roles
from flowwarden.bootstrap import doctor_coverage, doctor_delivery
from flowwarden.bootstrap.doctor_policy import made_mutes, policy_in_use
from flowwarden.bootstrap.installed import Installed, MakeClient, installed
from flowwarden.doctor.checks.state_table import HOURS as TABLE_HOURS
from flowwarden.doctor.fact import Fact, Unread, known
from flowwarden.doctor.facts import Alarm, Facts, FindingService, Runs, SinkSecret, Table, Topic
from flowwarden.sinks import amazon_q, eventbridge
from flowwarden.sinks import security_hub as hub
from flowwarden.sinks.table import SINKS
from flowwarden.state.sets import HOUR

FUNCTIONS: Final = ("MonitorFunction", "EnforcerFunction", "DispatcherFunction")
TOPICS: Final = {"pages": "PagesTopic", "operations": "OperationsTopic"}
CHAT_TOPIC: Final = "ChatTopic"
QUEUES: Final = {
    "monitor": "MonitorFailureQueue", "enforcer": "EnforcerFailureQueue", "events": "EnforcerEventQueue",
}  # fmt: skip
"""The failure queues by the name that `flowwarden redrive` uses."""
TABLE: Final = "StateTable"
KEY: Final = "NotificationKey"
MINUTES: Final = {"MonitorFunction": 180, "EnforcerFunction": 180, "DispatcherFunction": 15}
"""In which a function's invocations are counted. `RetryRate`, which starts the enforcer, is at most 99."""


def read(stack: str, region: str | None, now: int, clients: MakeClient = own_client) -> Facts:
    """Read an installation.

    Args:
        stack: the stack's name.
        region: its Region; None for that of the environment or the profile.
        now: Unix seconds.
        clients: creates the client of a service in a Region.

    Raises:
        SettingsError: the stack cannot be read.
    """
    found = installed(stack, region, now, clients)
    return _about_policy(_about_functions(_about_resources(found), found), found)


def _about_resources(found: Installed) -> Facts:
    """What is read of each resource alone."""
    roles, rules = Roles(found.clients("iam"), classify_own), RuleReader(found.clients("events"))
    throttled, runs = _metrics(found)
    return Facts(
        place=found.place,
        stack=found.state,
        resources=found.names,
        roles=found.each("AWS::IAM::Role", "GetRole", roles.describe),
        rules=found.each("AWS::Events::Rule", "DescribeRule", rules.rule),
        runs=runs,
        topics=_topics(found),
        sinks=_sinks(found),
        services=_services(found),
        keys=_keys(found),
        trails=TrailReader(found.clients("cloudtrail")).trails(),
        table=_table(found, throttled),
        queues=_queues(found),
        alarms=_alarms(found),
        mutes=made_mutes(found),
    )


def _about_functions(facts: Facts, found: Installed) -> Facts:
    lambdas = FunctionReader(found.clients("lambda"))
    return replace(
        facts,
        functions={each: found.named(each, lambdas.function) for each in FUNCTIONS},
        permissions={each: found.named(each, lambdas.permissions) for each in FUNCTIONS},
        limits=lambdas.limits(),
    )


def _about_policy(facts: Facts, found: Installed) -> Facts:
    """The policy, which the monitor's variables contain, and the log groups, of which it names some."""
    policy = policy_in_use(found, facts.functions["MonitorFunction"])
    logs = doctor_delivery.read(found, policy, facts.permissions["MonitorFunction"])
    return replace(
        facts,
        policy=policy,
        groups=logs.groups,
        deliveries=logs.deliveries,
        flow_logs=logs.flow_logs,
        coverage=doctor_coverage.read(found, facts.functions["EnforcerFunction"], policy, logs.all_groups),
    )


def _topics(found: Installed) -> dict[str, Fact[Topic]]:
    client, names = found.clients("sns"), TOPICS
    if found.state.parameters.get(amazon_q.KIND.parameter) == "yes":
        names = {**names, "chat": CHAT_TOPIC}
    return {name: found.named(each, partial(topic, client)) for name, each in names.items()}


def _queues(found: Installed) -> dict[str, Fact[int]]:
    client = found.clients("sqs")
    return {name: found.named(each, partial(messages, client)) for name, each in QUEUES.items()}


def _table(found: Installed, throttled: Fact[int]) -> Fact[Table]:
    client = found.clients("dynamodb")
    return found.named(TABLE, lambda name: TableReader(client, name).table(throttled))


def _sinks(found: Installed) -> dict[str, Fact[SinkSecret]]:
    """The secrets of the configured sinks; no call is made if there are none."""
    given = found.state.parameters
    names = {each.name: given.get(each.parameter, "") for each in SINKS if each.has_secret}
    configured = {sink: name for sink, name in names.items() if name}
    client = found.clients("secretsmanager") if configured else None
    return {sink: secret(client, name) for sink, name in configured.items()}


def _services(found: Installed) -> dict[str, Fact[FindingService]]:
    """The configured AWS services that get findings; no call is made if there are none."""
    given, services = found.state.parameters, dict[str, Fact[FindingService]]()
    if name := given.get(eventbridge.KIND.parameter, ""):
        services[eventbridge.KIND.name] = bus(found.clients("events"), name)
    if given.get(hub.KIND.parameter) == "yes":
        services[hub.KIND.name] = security_hub(found.clients("securityhub"))
    return services


def _keys(found: Installed) -> dict[str, Fact[str]]:
    client, of_logs = found.clients("kms"), found.state.parameters.get("LogKmsKeyArn", "")
    keys = {"topics": found.named(KEY, partial(key_state, client))}
    return {**keys, "log groups": key_state(client, of_logs)} if of_logs else keys


def _alarms(found: Installed) -> Mapping[str, Fact[Alarm]]:
    """The alarms of the stack, of which CloudWatch may lack some."""
    names, there = found.of_kind("AWS::CloudWatch::Alarm"), _reader(found).alarms(f"{found.place.stack}/")
    for each in (names, there):
        if isinstance(each, Unread):
            return {"every alarm": each}
    return {each: known(there, {}).get(each) for each in known(names, {}).values()}


def _reader(found: Installed) -> MetricReader:
    return MetricReader(found.clients("cloudwatch"), found.place.now)


def _metrics(found: Installed) -> tuple[Fact[int], dict[str, Fact[Runs]]]:
    """The throttled requests of the state table, and the runs of the functions; one call."""
    table = [_of_table(found.names.get(TABLE, ""), f"{each}ThrottleEvents") for each in ("Read", "Write")]
    functions = {
        each: _of_function(found.names[each], MINUTES[each]) for each in FUNCTIONS if each in found.names
    }
    sums = _reader(found).sums([*table, *(metric for each in functions.values() for metric in each)])
    throttled, _ = _summed([sums[each] for each in table])
    return throttled, {
        name: _runs([sums[each] for each in metrics], MINUTES[name]) for name, metrics in functions.items()
    }


def _of_table(table: str, name: str) -> Metric:
    dimensions = (("TableName", table),)
    return Metric(namespace="AWS/DynamoDB", name=name, dimensions=dimensions, seconds=TABLE_HOURS * HOUR)


def _of_function(function: str, minutes: int) -> list[Metric]:
    dimensions = (("FunctionName", function),)
    return [
        Metric(namespace="AWS/Lambda", name=name, dimensions=dimensions, seconds=minutes * 60)
        for name in ("Invocations", "Errors", "Throttles")
    ]


def _summed(parts: Sequence[Fact[int]]) -> tuple[Fact[int], list[int]]:
    """The sum, or why one of them is unknown; and the numbers."""
    unread = next((each for each in parts if isinstance(each, Unread)), None)
    numbers = [each if isinstance(each, int) else 0 for each in parts]
    return unread or sum(numbers), numbers


def _runs(parts: Sequence[Fact[int]], minutes: int) -> Fact[Runs]:
    total, (invocations, errors, throttles) = _summed(parts)
    if isinstance(total, Unread):
        return total
    return Runs(invocations=invocations, errors=errors, throttles=throttles, minutes=minutes)
