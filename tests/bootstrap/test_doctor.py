"""Reading an installation: refused calls and odd answers cost the lines that need them, and no more."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any

import msgspec
import pytest
from botocore.exceptions import EndpointConnectionError

from flowwarden.aws.caller_errors import DENIED
from flowwarden.bootstrap.doctor import read
from flowwarden.doctor.checks import CHECKS
from flowwarden.doctor.facts import Facts
from flowwarden.doctor.line import Line, Verdict
from flowwarden.doctor.report import examine
from flowwarden.enforcer.work_queue import WorkItem
from flowwarden.errors import NotDeployed, SettingsError, StackDenied
from flowwarden.policy.transit_gateways import LOG_FORMAT, SUFFIX
from flowwarden.state.schema import WORK, WORK_ITEMS
from tests.aws.test_hostile_answers import DROPPED, broken, paths
from tests.bootstrap.fakes_installation import ACCOUNT, ADOPTED, GROUP, NOW, Account, answers, refusal

ANSWERS = answers()
STACKS = ("cloudformation", "describe_stacks")
OPTIONAL = {
    ("logs", "describe_log_streams"),
    ("ec2", "describe_subnets"),
    ("ec2", "describe_transit_gateways"),
}
"""Read only if other facts are unknown, or if the policy asks for flow logs of other resources than VPCs."""


def facts(**changed: Any) -> Facts:
    """The facts with other answers, by `service__operation`."""
    others = {tuple(name.split("__")): each for name, each in changed.items()}
    return read("flow-warden", "eu-west-1", NOW, Account({**ANSWERS, **others}).client)  # type: ignore[dict-item]


def lines(**changed: Any) -> list[Line]:
    """The lines about these facts."""
    return examine(facts(**changed))


def wrong(found: list[Line]) -> list[Line]:
    """The lines that are not ok."""
    return [each for each in found if each.verdict is not Verdict.OK]


def test_a_sound_installation_has_only_ok_lines_of_all_checks() -> None:
    """Except the mutes, because there are none."""
    found = lines()
    assert wrong(found) == []
    assert {each.check for each in found} == {each.name for each in CHECKS} - {"mutes"}


def test_every_operation_is_used() -> None:
    """The answers contain no operation that the doctor does not call."""
    account = Account(ANSWERS)
    read("flow-warden", None, NOW, account.client)
    assert account.asked == ANSWERS.keys() - OPTIONAL


UNNEEDED = {("ec2", "describe_network_interfaces"), ("ec2", "describe_instances")}
"""Not needed for the delivery while heartbeats prove it."""
CALLS = sorted(ANSWERS.keys() - OPTIONAL - UNNEEDED - {STACKS})


@pytest.mark.parametrize(("service", "operation"), CALLS)
def test_a_denied_call_makes_its_lines_unknown_and_hides_no_other(service: str, operation: str) -> None:
    """The reason says which permission to get; nothing fails because of it."""
    found = lines(**{f"{service}__{operation}": refusal(operation)})
    unknown = {each.check for each in found if each.verdict is Verdict.UNKNOWN}
    assert {each.verdict for each in wrong(found)} == {Verdict.UNKNOWN}
    assert all(DENIED in each.text and each.text.isprintable() for each in wrong(found))
    untouched = [each for each in lines() if each.check not in unknown]
    assert [each for each in found if each.check not in unknown] == untouched
    assert len(unknown) < len(CHECKS) - 5


@pytest.mark.parametrize(("service", "operation"), sorted(UNNEEDED))
def test_interfaces_matter_only_if_nothing_arrives(service: str, operation: str) -> None:
    """With heartbeats, delivery is proven; without records, it is unknown whether any were expected."""
    denied = {f"{service}__{operation}": refusal(operation)}
    assert {each.check for each in wrong(lines(**denied))} <= {"coverage"}
    quiet = {"dynamodb__batch_get_item": {"Responses": {}}, "cloudwatch__get_metric_data": _no_metrics}
    (line,) = [each for each in wrong(lines(**denied, **quiet)) if each.check == "delivery"]
    assert line.verdict is Verdict.UNKNOWN
    (line,) = [each for each in wrong(lines(**quiet)) if each.check == "delivery"]
    assert line.problem == "records-missing"


def _no_metrics(MetricDataQueries: list[Any], **_: Any) -> dict[str, Any]:  # noqa: N803 - AWS's name
    """No metric has data."""
    empty = {"StatusCode": "Complete", "Timestamps": [], "Values": []}
    return {"MetricDataResults": [{"Id": each["Id"], **empty} for each in MetricDataQueries]}


def test_with_all_calls_denied_every_check_is_unknown() -> None:
    """Only the stack itself is known."""
    denied = {
        f"{service}__{operation}": refusal(operation) for service, operation in ANSWERS.keys() - {STACKS}
    }
    found = lines(**denied)
    assert {each.verdict for each in wrong(found)} == {Verdict.UNKNOWN}
    assert {each.check for each in wrong(found)} >= {each.name for each in CHECKS} - {"invocations"}


@pytest.mark.parametrize(("service", "operation"), CALLS)
def test_a_service_that_does_not_answer_makes_its_lines_unknown(service: str, operation: str) -> None:
    """As a missing permission does."""
    error = EndpointConnectionError(endpoint_url="https://example.invalid")
    found = lines(**{f"{service}__{operation}": error})
    assert {each.verdict for each in wrong(found)} == {Verdict.UNKNOWN}


@pytest.mark.parametrize(
    ("error", "kind"),
    [
        (refusal("describe_stacks"), StackDenied),
        (refusal("describe_stacks", "ExpiredToken"), SettingsError),
        (EndpointConnectionError(endpoint_url="https://example.invalid"), SettingsError),
    ],
)
def test_without_the_stack_nothing_can_be_checked(error: Exception, kind: type[Exception]) -> None:
    """The command prints the reason."""
    with pytest.raises(kind):
        facts(cloudformation__describe_stacks=error)


def test_a_stack_that_does_not_exist_is_not_deployed() -> None:
    """CloudFormation has no code of its own for that."""
    error = refusal("describe_stacks", "ValidationError")
    error.response["Error"]["Message"] = "Stack with id flow-warden does not exist"
    with pytest.raises(NotDeployed):
        facts(cloudformation__describe_stacks=error)


@pytest.mark.parametrize(
    ("call", "code", "problem"),
    [
        ("lambda__get_function_configuration", "ResourceNotFoundException", "function-missing"),
        ("iam__get_role", "NoSuchEntity", "role-missing"),
        ("events__describe_rule", "ResourceNotFoundException", "rule-missing"),
        ("sns__list_subscriptions_by_topic", "NotFound", "topic-missing"),
        ("sqs__get_queue_attributes", "AWS.SimpleQueueService.NonExistentQueue", "queue-missing"),
        ("kms__describe_key", "NotFoundException", "key-missing"),
        ("secretsmanager__describe_secret", "ResourceNotFoundException", "sink-secret-missing"),
        ("events__describe_event_bus", "ResourceNotFoundException", "event-bus-missing"),
        ("securityhub__describe_hub", "InvalidAccessException", "security-hub-disabled"),
        ("securityhub__describe_hub", "ResourceNotFoundException", "security-hub-disabled"),
        ("dynamodb__describe_table", "ResourceNotFoundException", "table-missing"),
        ("lambda__get_policy", "ResourceNotFoundException", "invocation-denied"),
        ("lambda__get_function_event_invoke_config", "ResourceNotFoundException", "function-failures-lost"),
    ],
)
def test_what_does_not_exist_is_missing_not_unknown(call: str, code: str, problem: str) -> None:
    """Each service has a code of its own for that."""
    found = wrong(lines(**{call: refusal(call.partition("__")[2], code)}))
    assert {each.problem for each in found} == {problem}


def test_a_log_group_that_does_not_exist_is_missing() -> None:
    """CloudWatch Logs lists no such group."""
    (line,) = wrong(lines(logs__describe_log_groups={"logGroups": []}))
    assert line.problem == "log-group-missing"


def elsewhere(*groups: str) -> dict[str, Any]:
    """The flow log of the stack, and one without a tag into each of these groups."""
    (own,) = ANSWERS["ec2", "describe_flow_logs"]["FlowLogs"]
    others = [
        {**own, "FlowLogId": f"fl-{each}", "ResourceId": f"vpc-{each}", "LogGroupName": each}
        for each in groups
    ]
    return {"FlowLogs": [own, *others]}


def test_a_group_of_others_with_a_filter_of_the_stack_must_send_every_line() -> None:
    """As an existing log group that the stack reads; one without such a filter need not."""
    policy = json.loads(ANSWERS["lambda", "get_policy"]["Policy"])
    condition = {"ArnLike": {"AWS:SourceArn": "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/vpc/*:*"}}
    policy["Statement"].append({**policy["Statement"][0], "Condition": condition})
    own, others = (
        "/flow-warden/flow-logs",
        (ADOPTED, "/aws/vpc/vpc-8", "/flow-warden/flow-logs-2", "/other"),
    )

    def filters(logGroupName: str) -> Any:  # noqa: N803 - AWS's name
        sound = ANSWERS["logs", "describe_subscription_filters"]
        (ours,) = sound["subscriptionFilters"]
        partial = {"subscriptionFilters": [{**ours, "filterPattern": "REJECT"}]}
        return {own: sound, others[0]: partial}.get(logGroupName, {"subscriptionFilters": []})

    found = lines(
        lambda__get_policy={"Policy": json.dumps(policy)},
        ec2__describe_flow_logs=elsewhere(*others),
        logs__describe_log_groups={"logGroups": [{"logGroupName": each} for each in (own, *others)]},
        logs__describe_subscription_filters=filters,
    )
    assert [(each.problem, each.subject) for each in wrong(found)] == [("subscription-partial", others[0])]
    assert [each.subject for each in found if each.check == "delivery"] == [own, others[0]]


def test_without_flow_logs_the_vpcs_decide() -> None:
    """An account without VPCs needs none."""
    nothing: dict[str, Any] = {"FlowLogs": []}
    found = wrong(lines(ec2__describe_flow_logs=nothing))
    assert [each.problem for each in found] == ["flow-logs-missing", "vpc-uncovered"]
    assert [each.subject for each in found] == ["flow logs", "vpc-1"]
    assert wrong(lines(ec2__describe_flow_logs=nothing, ec2__describe_vpcs={"Vpcs": []})) == []


def with_policy(**flow_logs: Any) -> dict[str, Any]:
    """The answer about the functions, with this policy of flow logs."""
    function = ANSWERS["lambda", "get_function_configuration"]
    variables = function["Environment"]["Variables"] | {"POLICY": json.dumps({"flow_logs": flow_logs})}
    return {"lambda__get_function_configuration": {**function, "Environment": {"Variables": variables}}}


def test_without_flow_logs_a_policy_that_exempts_every_vpc_is_sound() -> None:
    """If it exempts only one of two, the other one is named."""
    nothing: dict[str, Any] = {"FlowLogs": []}
    exempt = with_policy(exemptions=[{"where": {"vpcs": ["vpc-1"]}, "reason": "a lab"}])
    checks = {"flow-logs", "coverage"}
    found = wrong(lines(ec2__describe_flow_logs=nothing, **exempt))
    assert [each for each in found if each.check in checks] == []
    vpcs = {"Vpcs": [{"VpcId": each, "OwnerId": ACCOUNT} for each in ("vpc-1", "vpc-2")]}
    found = wrong(lines(ec2__describe_flow_logs=nothing, ec2__describe_vpcs=vpcs, **exempt))
    assert [each.subject for each in found if each.check in checks] == ["flow logs", "vpc-2"]


def test_each_vpc_without_the_required_flow_log_is_named() -> None:
    """Also if others are covered. A VPC of another account needs none."""
    vpcs = [{"VpcId": f"vpc-{number}", "OwnerId": ACCOUNT} for number in range(1, 4)]
    vpcs.append({"VpcId": "vpc-4", "OwnerId": "444455556666"})
    found = lines(ec2__describe_vpcs={"Vpcs": vpcs})
    assert [(each.subject, each.problem) for each in wrong(found)] == [
        ("vpc-2", "vpc-uncovered"),
        ("vpc-3", "vpc-uncovered"),
    ]
    assert [each.subject for each in found if each.check == "coverage" and not each.problem] == [
        "vpc-1",
        "vpc-4",
    ]


@pytest.mark.parametrize(("level", "missing"), [("subnet", "subnet-b"), ("interface", "eni-0b")])
def test_a_part_without_the_flow_log_of_its_level_is_named(level: str, missing: str) -> None:
    """The line names the VPC and the part. With a flow log of each part, there is none."""
    (own,) = ANSWERS["ec2", "describe_flow_logs"]["FlowLogs"]
    (interface,) = ANSWERS["ec2", "describe_network_interfaces"]["NetworkInterfaces"]
    subnets = {"Subnets": [{"SubnetId": f"subnet-{each}", "VpcId": "vpc-1"} for each in "ab"]}
    idle = {key: value for key, value in interface.items() if key != "Attachment"} | {"Status": "available"}
    interfaces = [
        {**idle, "NetworkInterfaceId": f"eni-0{each}", "SubnetId": f"subnet-{each}", "VpcId": "vpc-1"}
        for each in "ab"
    ]
    parts = [f"subnet-{each}" if level == "subnet" else f"eni-0{each}" for each in "ab"]
    flow_logs = [{**own, "FlowLogId": f"fl-{each}", "ResourceId": each} for each in parts]

    def coverage(some: list[Any]) -> list[Line]:
        found = lines(
            ec2__describe_subnets=subnets,
            ec2__describe_network_interfaces={"NetworkInterfaces": interfaces},
            ec2__describe_flow_logs={"FlowLogs": some},
            **with_policy(rules=[{"where": {}, "flow_log": {}, "level": level}]),
        )
        return [each for each in found if each.check == "coverage"]

    (line,) = coverage(flow_logs[:1])
    assert (line.subject, line.problem) == ("vpc-1", "vpc-uncovered")
    assert f"1 of 2 {level}s ({missing}: has no flow log)" in line.text
    assert parts[0] not in line.text
    assert wrong(coverage(flow_logs)) == []


def of_gateways(**changed: Any) -> list[Line]:
    """The lines if the policy selects all transit gateways, without those about the changed variables."""
    gateways = [
        {"TransitGatewayId": f"tgw-{number}", "OwnerId": owner, "State": "available"}
        for number, owner in ((1, ACCOUNT), (2, ACCOUNT), (3, "444455556666"))
    ]
    given = {"ec2__describe_transit_gateways": {"TransitGateways": gateways}, **changed}
    found = lines(**with_policy(transit_gateways={"where": [{}]}), **given)
    return [each for each in found if each.check != "functions"]


def test_a_selected_transit_gateway_without_its_flow_log_is_named() -> None:
    """One of another account needs none. Its log group has no subscription, which is no problem."""
    (own,) = ANSWERS["ec2", "describe_flow_logs"]["FlowLogs"]
    rest = {key: value for key, value in own.items() if key not in {"LogFormat", "TrafficType"}}
    group, name = f"{GROUP}-{SUFFIX}", {"LogFormat": LOG_FORMAT, "MaxAggregationInterval": 60}
    of_gateway = {**rest, **name, "FlowLogId": "fl-g", "ResourceId": "tgw-1", "LogGroupName": group}
    of_gateway |= {"Tags": [{"Key": "flow-warden:managed", "Value": "flow-warden"}]}
    found = of_gateways(ec2__describe_flow_logs={"FlowLogs": [own, of_gateway]})
    (line,) = wrong(found)
    assert (line.subject, line.problem) == ("tgw-2", "vpc-uncovered")
    assert line.text.startswith("the transit gateway is not covered")
    sound = [each.subject for each in found if each.check == "coverage" and each is not line]
    assert sound == ["tgw-1", "tgw-3", "vpc-1"]
    failed = {**of_gateway, "DeliverLogsStatus": "FAILED", "DeliverLogsErrorMessage": "Access error"}
    broken = wrong(of_gateways(ec2__describe_flow_logs={"FlowLogs": [own, failed]}))
    assert "tgw-1" in [each.subject for each in broken]


def test_transit_gateways_that_cannot_be_listed_are_unknown_and_hide_no_vpc() -> None:
    """The permission is needed only if the policy selects some."""
    denied = {"ec2__describe_transit_gateways": refusal("describe_transit_gateways", "UnauthorizedOperation")}
    found = [each for each in of_gateways(**denied) if each.check == "coverage"]
    assert [(each.subject, each.verdict) for each in found] == [
        ("vpc-1", Verdict.OK),
        ("transit gateways", Verdict.UNKNOWN),
    ]
    assert wrong(lines(**denied)) == []


def test_a_new_vpc_in_its_grace_period_is_no_problem() -> None:
    """The work queue contains it. Afterward, it is one."""
    for until, problems in ((NOW + 60, []), (NOW - 60, ["vpc-uncovered"])):
        item = WorkItem(vpc_id="vpc-2", due=until, reason="new", grace_until=until)
        partition, key = WORK_ITEMS.address(item.vpc_id)
        stored = {
            "pk": {"S": partition},
            "sk": {"S": key},
            "content": {"S": msgspec.json.encode(item).decode()},
        }

        def query(stored: dict[str, Any] = stored, **asked: Any) -> dict[str, Any]:
            return {"Items": [stored] if WORK in str(asked) else []}

        vpcs = {"Vpcs": [{"VpcId": each, "OwnerId": ACCOUNT} for each in ("vpc-1", "vpc-2")]}
        found = wrong(lines(ec2__describe_vpcs=vpcs, dynamodb__query=query))
        assert [each.problem for each in found] == problems


def adopting(filters: Any) -> list[Line]:
    """The lines about a VPC whose unmanaged flow log delivers to an existing log group with these filters."""
    policy = json.loads(ANSWERS["lambda", "get_policy"]["Policy"])
    condition = {"ArnLike": {"AWS:SourceArn": "arn:aws:logs:eu-west-1:111122223333:log-group:/aws/vpc/*:*"}}
    policy["Statement"].append({**policy["Statement"][0], "Condition": condition})
    (flow_log,) = ANSWERS["ec2", "describe_flow_logs"]["FlowLogs"]
    sound = ANSWERS["logs", "describe_subscription_filters"]

    def of_group(logGroupName: str) -> Any:  # noqa: N803 - AWS's name
        if logGroupName != ADOPTED:
            return sound
        if isinstance(filters, Exception):
            raise filters
        return filters

    groups = [{"logGroupName": each} for each in (GROUP, ADOPTED)]
    return lines(
        lambda__get_policy={"Policy": json.dumps(policy)},
        ec2__describe_flow_logs={"FlowLogs": [{**flow_log, "LogGroupName": ADOPTED}]},
        logs__describe_log_groups={"logGroups": groups},
        logs__describe_subscription_filters=of_group,
    )


def test_a_flow_log_into_a_subscribed_existing_group_covers_its_vpc() -> None:
    """As the enforcer judges it. Without the filter, the VPC is named."""
    assert wrong(adopting(ANSWERS["logs", "describe_subscription_filters"])) == []
    found = wrong(adopting({"subscriptionFilters": []}))
    assert [(each.subject, each.problem) for each in found if each.check == "coverage"] == [
        ("vpc-1", "vpc-uncovered")
    ]


def test_a_vpc_whose_existing_group_cannot_be_read_is_unknown() -> None:
    """The missing permission is no fault of the stack."""
    (line,) = [
        each for each in wrong(adopting(refusal("describe_subscription_filters"))) if each.check == "coverage"
    ]
    assert (line.subject, line.verdict) == ("vpc-1", Verdict.UNKNOWN)


def test_without_heartbeats_and_metrics_the_streams_are_read() -> None:
    """The newest event shows that records arrive."""
    found = wrong(
        lines(
            dynamodb__batch_get_item={"Responses": {}},
            cloudwatch__get_metric_data=refusal("get_metric_data"),
        )
    )
    assert [each.problem for each in found if each.check == "delivery"] == ["records-unseen"]


ODD: tuple[Any, ...] = (DROPPED, 5, "junk\n\x1b", [], [None], {"x": 5})
"""A member that is missing, and one value of each type."""


def spoiled(answer: Any) -> Iterator[Any]:
    """The answer with each member broken in every way; of a list, only the first item."""
    for path in ((), *paths(answer)):
        if not any(isinstance(each, int) and each for each in path):
            for wrong_value in ODD:
                if path or wrong_value is not DROPPED:
                    yield broken({"answer": answer}, ("answer", *path), wrong_value)["answer"]


ITEMS = {("dynamodb", "batch_get_item"), ("dynamodb", "query")}
"""Stored items; tests/aws/dynamodb breaks them."""


@pytest.mark.matrix(10)
@pytest.mark.parametrize(("service", "operation"), sorted(ANSWERS.keys() - OPTIONAL - ITEMS))
def test_no_answer_of_aws_stops_the_report_or_breaks_a_line(service: str, operation: str) -> None:
    """Each member of each answer is missing or has another value or type once."""
    answer = ANSWERS[service, operation]
    whole = answer if not callable(answer) else {}
    for each in spoiled(whole):
        try:
            found = lines(**{f"{service}__{operation}": each})
        except SettingsError:
            assert (service, operation) == STACKS
            continue
        for line in found:
            assert (line.subject + line.text + line.fix).isprintable()


def test_a_statement_of_the_monitors_policy_for_every_account_is_named() -> None:
    """Without a condition; a condition on the account is enough, whatever the case of its key."""
    policy = json.loads(ANSWERS["lambda", "get_policy"]["Policy"])
    (of_logs,) = [each for each in policy["Statement"] if each["Principal"]["Service"].startswith("logs.")]
    for condition, problems in (
        ({}, [("invocation-open", "mallory")]),
        ({"StringEquals": {"aws:sourceAccount": ACCOUNT}}, []),
    ):
        added = {**of_logs, "Sid": "mallory", "Condition": condition}
        document = {**policy, "Statement": [*policy["Statement"], added]}
        found = wrong(lines(lambda__get_policy={"Policy": json.dumps(document)}))
        assert [
            (each.problem, re.findall(r"--statement-id (\w+)", each.fix)[0]) for each in found
        ] == problems
