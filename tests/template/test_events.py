"""The rules that invoke the enforcer, and the queues for events that could not be delivered or processed."""

from __future__ import annotations

import copy
import json
from typing import Any

import pytest
from botocore.loaders import Loader

from flowwarden.enforcer.triggers import tampering, trigger
from flowwarden.enforcer.triggers.rule_changes import RULE_CALLS
from flowwarden.state.schema import INCIDENTS
from local import payload
from tests.enforcer.fakes import STACK
from tests.template import stack

RULES = {
    "VpcCreatedRule": "VpcCreatedPermission",
    "FlowLogDeletedRule": "FlowLogDeletedPermission",
    "SweepSchedule": "SweepPermission",
    "StackDeployedRule": "StackDeployedPermission",
    "RetrySchedule": "RetryPermission",
    "LogGroupChangedRule": "LogGroupChangedPermission",
    "RulesChangedRule": "RulesChangedPermission",
    "DeliveryRoleChangedRule": "DeliveryRoleChangedPermission",
}
DISPATCH = "DispatchSchedule"
WHERE_IAM_IS_RECORDED = "DeliveryRoleChangedRule"
QUEUES = ("MonitorFailureQueue", "EnforcerFailureQueue", "EnforcerEventQueue")
FOURTEEN_DAYS = 1_209_600
ONE_MIB = 1_048_576
ABSENT = object()
GROUP = "/flow-warden/flow-logs"

STACK_ID = (
    "arn:aws:cloudformation:eu-west-1:111122223333:stack/flow-warden/1b2c3d4e-0000-4000-8000-000000000001"
)
GROUP_ARN = f"arn:aws:logs:eu-west-1:111122223333:log-group:{GROUP}"
ARN_OF_GROUP = "arn:${AWS::Partition}:logs:${AWS::Region}:${AWS::AccountId}:log-group:${FlowLogGroupName}"
PREFIXES = {
    json.dumps({"Ref": "FlowLogGroupName"}): GROUP,
    json.dumps({"Fn::Sub": ARN_OF_GROUP}): GROUP_ARN,
}
"""The values of the template's prefixes after deployment."""

CALL: dict[str, Any] = {
    "source": "aws.ec2",
    "detail-type": "AWS API Call via CloudTrail",
    "detail": {"eventSource": "ec2.amazonaws.com", "eventName": "CreateVpc"},
}


def matches(pattern: dict[str, Any], event: Any) -> bool:
    """EventBridge's pattern matching, as used by the template: values, nesting, `$or`, `exists`, `prefix`."""
    return all(
        any(matches(each, event) for each in wanted)
        if name == "$or"
        else matches(wanted, event.get(name, {}))
        if isinstance(wanted, dict)
        else any(_fits(each, event.get(name, ABSENT)) for each in wanted)
        for name, wanted in pattern.items()
    )


def _fits(wanted: Any, value: Any) -> bool:
    if wanted == {"Ref": "AWS::StackId"}:
        return bool(value == STACK_ID)
    if wanted == {"Ref": "AWS::StackName"}:
        return bool(value == STACK.stack_name)
    if wanted == {"Ref": "DeliveryRole"}:
        return bool(value == "delivery")
    if isinstance(wanted, dict) and set(wanted) == {"prefix"}:
        return str(value).startswith(PREFIXES[json.dumps(wanted["prefix"])])
    if isinstance(wanted, dict):
        assert set(wanted) == {"exists"}, "`matches` does not know this comparison"
        return bool(wanted["exists"]) == (value is not ABSENT)
    return bool(wanted == value)


def touching(source: str, name: str, **asked: str) -> dict[str, Any]:
    """A call about a log group or a role."""
    event = call(name, eventSource=f"{source}.amazonaws.com") | {"source": f"aws.{source}"}
    event["detail"]["requestParameters"] = asked
    return event


def call(name: str, **detail: str) -> dict[str, Any]:
    """An API call as EventBridge receives it from CloudTrail."""
    event = copy.deepcopy(CALL)
    event["detail"] |= {"eventName": name} | detail
    return event


def deployment(status: str, stack_id: str = STACK_ID) -> dict[str, Any]:
    """A stack status change as EventBridge receives it from CloudFormation."""
    return {
        "id": "6a1f0c52-0000-4000-8000-000000000001",
        "detail-type": "CloudFormation Stack Status Change",
        "source": "aws.cloudformation",
        "time": "2026-11-24T03:00:00Z",
        "detail": {"stack-id": stack_id, "status-details": {"status": status, "status-reason": ""}},
    }


def set_off_by(event: dict[str, Any]) -> set[str]:
    """The rules whose pattern the event matches."""
    return {
        name
        for name, rule in stack.of_type("AWS::Events::Rule").items()
        if "EventPattern" in rule and matches(rule["EventPattern"], event)
    }


@pytest.mark.parametrize(
    ("event", "rules"),
    [
        (call("CreateVpc"), {"VpcCreatedRule"}),
        (call("CreateDefaultVpc"), {"VpcCreatedRule"}),
        (call("DeleteFlowLogs"), {"FlowLogDeletedRule"}),
        (call("CreateFlowLogs"), {"FlowLogDeletedRule"}),
        (call("CreateFlowLogs", errorCode="Client.FlowLogAlreadyExists"), set()),
        (call("CreateVpc", errorCode="Client.VpcLimitExceeded"), set()),
        (call("CreateDefaultVpc", errorCode="Client.DefaultVpcAlreadyExists"), set()),
        (call("DeleteFlowLogs", errorCode="Client.UnauthorizedOperation"), set()),
        (call("CreateVpcEndpoint"), set()),
        (call("CreateSubnet"), set()),
        (call("CreateVpc", eventSource="logs.amazonaws.com"), set()),
        (call("CreateVpc") | {"source": "aws.logs"}, set()),
        (call("CreateVpc") | {"detail-type": "AWS Service Event via CloudTrail"}, set()),
        *(
            (touching("logs", name, logGroupName=GROUP), {"LogGroupChangedRule"})
            for name in tampering.LOG_GROUP_CALLS
        ),
        *(
            (touching("iam", name, roleName="delivery"), {WHERE_IAM_IS_RECORDED})
            for name in tampering.ROLE_CALLS
        ),
        *((call(name), {"RulesChangedRule"}) for name in RULE_CALLS),
        (call("RevokeSecurityGroupIngress", errorCode="Client.UnauthorizedOperation"), set()),
        (call("UpdateSecurityGroupRuleDescriptionsIngress"), set()),
        (touching("logs", "DeleteLogGroup", logGroupName=f"{GROUP}-0a1b2c3d"), {"LogGroupChangedRule"}),
        (touching("logs", "DeleteLogGroup", logGroupName="theirs"), set()),
        (touching("logs", "DisassociateKmsKey", resourceIdentifier=GROUP_ARN), {"LogGroupChangedRule"}),
        (touching("logs", "AssociateKmsKey", resourceIdentifier=f"{GROUP_ARN}:*"), {"LogGroupChangedRule"}),
        *(
            (touching("logs", name, logGroupName="/aws/vpc/x", filterName=filter_name), rules)
            for name in tampering.FILTER_CALLS
            for filter_name, rules in ((STACK.stack_name, {"LogGroupChangedRule"}), ("siem", set()))
        ),
        (touching("logs", "AssociateKmsKey", resourceIdentifier="arn:theirs"), set()),
        *(
            (touching("logs", "PutLogGroupDeletionProtection", logGroupIdentifier=group), rules)
            for group, rules in (
                (GROUP, {"LogGroupChangedRule"}),
                (f"{GROUP_ARN}:*", {"LogGroupChangedRule"}),
                ("theirs", set()),
            )
        ),
        (touching("logs", "AssociateKmsKey"), set()),
        (touching("logs", "PutLogEvents", logGroupName=GROUP), set()),
        (touching("iam", "DeleteRole", roleName="another"), set()),
        (deployment("CREATE_COMPLETE"), {"StackDeployedRule"}),
        (deployment("UPDATE_COMPLETE"), {"StackDeployedRule"}),
        (deployment("UPDATE_ROLLBACK_COMPLETE"), {"StackDeployedRule"}),
        (deployment("UPDATE_IN_PROGRESS"), set()),
        (deployment("ROLLBACK_COMPLETE"), set()),
        (deployment("DELETE_IN_PROGRESS"), set()),
        (deployment("CREATE_COMPLETE", f"{STACK_ID}-another"), set()),
    ],
)
def test_an_event_matches_exactly_the_rules_about_it(event: dict[str, Any], rules: set[str]) -> None:
    assert set_off_by(event) == rules


@pytest.mark.parametrize(
    ("name", "rules"),
    [
        ("create-vpc", {"VpcCreatedRule"}),
        ("create-default-vpc", {"VpcCreatedRule"}),
        ("create-vpc-failed", set()),
        ("delete-flow-logs", {"FlowLogDeletedRule"}),
        ("create-flow-logs-by-others", {"FlowLogDeletedRule"}),
        ("revoke-security-group-ingress", {"RulesChangedRule"}),
        ("sweep", set()),
    ],
)
def test_the_example_events_match_the_same_rules(name: str, rules: set[str]) -> None:
    event = json.loads((stack.PROJECT / "events" / "enforcer" / f"{name}.json").read_text())["event"]
    assert set_off_by(event) == rules


def test_the_sweep_schedule_is_its_parameter() -> None:
    sweep = stack.properties("SweepSchedule")
    assert sweep["ScheduleExpression"] == {"Ref": "SweepRate"}
    assert "EventPattern" not in sweep


def test_a_deployment_reaches_the_enforcer_as_a_sweep() -> None:
    (target,) = stack.properties("StackDeployedRule")["Targets"]
    transformer = target["InputTransformer"]
    event, handed_over = deployment("CREATE_COMPLETE"), transformer["InputTemplate"]
    for name, path in transformer["InputPathsMap"].items():
        handed_over = handed_over.replace(f"<{name}>", json.dumps(event[path.removeprefix("$.")]))
    found = trigger.read(json.loads(handed_over), STACK)
    assert (found.kind, found.deployed) == (trigger.RunKind.SWEEP, True)
    assert found.happened_at == trigger.read(event | {"detail-type": "Scheduled Event"}, STACK).happened_at
    assert found.idempotency_key == event["time"]


def test_every_rule_is_on_and_all_others_target_the_enforcer_with_retries_and_a_dead_letter_queue() -> None:
    rules = stack.of_type("AWS::Events::Rule")
    assert set(rules) == {*RULES, DISPATCH}
    assert all(rule.get("State", "ENABLED") == "ENABLED" for rule in rules.values())
    for name in RULES:
        rule = rules[name]
        (target,) = rule["Targets"]
        assert target["Arn"] == {"Fn::GetAtt": ["EnforcerFunction", "Arn"]}
        rewritten = {"Input", "InputPath", "InputTransformer"} & set(target)
        transformed = name in {"StackDeployedRule", "RetrySchedule"}
        assert rewritten == ({"InputTransformer"} if transformed else set())
        assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 3600, "MaximumRetryAttempts": 30}
        assert target["DeadLetterConfig"] == {"Arn": {"Fn::GetAtt": ["EnforcerEventQueue", "Arn"]}}


@pytest.mark.parametrize(("rule", "permission"), RULES.items())
def test_only_the_rule_may_invoke_the_enforcer(rule: str, permission: str) -> None:
    assert stack.properties(permission) == {
        "FunctionName": {"Fn::GetAtt": ["EnforcerFunction", "Arn"]},
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
        "SourceArn": {"Fn::GetAtt": [rule, "Arn"]},
    }


def test_the_schedule_of_the_dispatcher_invokes_it_each_minute_and_keeps_no_event() -> None:
    schedule = stack.properties(DISPATCH)
    assert schedule["ScheduleExpression"] == "rate(1 minute)"
    (target,) = schedule["Targets"]
    assert target["Arn"] == {"Fn::GetAtt": ["DispatcherFunction", "Arn"]}
    assert target["RetryPolicy"] == {"MaximumEventAgeInSeconds": 60, "MaximumRetryAttempts": 2}
    assert "DeadLetterConfig" not in target
    assert json.loads(target["Input"])["detail"] == payload.DISPATCH
    assert stack.properties("DispatchPermission") == {
        "FunctionName": {"Fn::GetAtt": ["DispatcherFunction", "Arn"]},
        "Action": "lambda:InvokeFunction",
        "Principal": "events.amazonaws.com",
        "SourceArn": {"Fn::GetAtt": [DISPATCH, "Arn"]},
    }


def test_the_queues_keep_whole_batches_encrypted_for_the_maximum_retention() -> None:
    queues = stack.of_type("AWS::SQS::Queue")
    assert set(queues) == set(QUEUES)
    for each in queues.values():
        assert each == {
            "MessageRetentionPeriod": FOURTEEN_DAYS,
            "MaximumMessageSize": ONE_MIB,
            "SqsManagedSseEnabled": True,
        }


@pytest.mark.parametrize("queue", QUEUES)
def test_a_queue_accepts_only_tls(queue: str) -> None:
    policy = stack.properties(f"{queue}Policy")
    assert policy["Queues"] == [{"Ref": queue}]
    (denied,) = [each for each in policy["PolicyDocument"]["Statement"] if each["Effect"] == "Deny"]
    assert denied["Principal"] == "*"
    assert denied["Action"] == "sqs:*"
    assert denied["Resource"] == {"Fn::GetAtt": [queue, "Arn"]}
    assert denied["Condition"] == {"Bool": {"aws:SecureTransport": "false"}}


def test_eventbridge_may_send_dead_letters_of_these_rules_to_the_event_queue() -> None:
    statements = stack.properties("EnforcerEventQueuePolicy")["PolicyDocument"]["Statement"]
    granted = stack.granting(statements, "sqs:SendMessage")
    assert granted["Principal"] == {"Service": "events.amazonaws.com"}
    assert granted["Resource"] == {"Fn::GetAtt": ["EnforcerEventQueue", "Arn"]}
    assert granted["Condition"] == {"ArnEquals": {"aws:SourceArn": [arn(rule) for rule in RULES]}}


def arn(rule: str) -> dict[str, Any]:
    """A rule's ARN, if the rule exists."""
    there = {"Fn::GetAtt": [rule, "Arn"]}
    return {"Fn::If": ["SeesIam", there, {"Ref": "AWS::NoValue"}]} if rule == WHERE_IAM_IS_RECORDED else there


def test_a_scheduled_check_of_the_work_queue_reaches_the_enforcer_as_a_retry() -> None:
    pending = stack.properties("RetrySchedule")
    assert pending["ScheduleExpression"] == {"Ref": "RetryRate"}
    template = pending["Targets"][0]["InputTransformer"]["InputTemplate"]
    event = json.loads(template.replace("<id>", '"x"').replace("<time>", '"2026-11-24T03:00:00Z"'))
    found = trigger.read(event, STACK)
    assert (found.kind, found.happened_at) == (trigger.RunKind.RETRY, 1_795_489_200)


def test_iam_is_watched_in_the_region_that_records_it() -> None:
    """In each partition, according to the SDK's list of endpoints."""
    partitions = Loader().load_data("endpoints")["partitions"]
    regions: set[str] = set()
    for partition in partitions:
        endpoints = partition["services"].get("iam", {}).get("endpoints", {}).values()
        named = {each["credentialScope"]["region"] for each in endpoints}
        # A partition with a single Region lists no endpoint of IAM.
        regions |= named or set(partition["regions"])
    assert {"us-east-1", "cn-north-1", "us-gov-west-1"} <= regions
    alternatives = stack.TEMPLATE["Conditions"]["SeesIam"]["Fn::Or"]
    watched = [each["Fn::Equals"][1] for each in alternatives]
    assert alternatives == [{"Fn::Equals": [{"Ref": "AWS::Region"}, each]} for each in watched]
    assert sorted(watched) == sorted(regions)
    conditional = {name for name, each in stack.RESOURCES.items() if each.get("Condition") == "SeesIam"}
    assert conditional == {
        "DeliveryRoleChangedRule",
        "DeliveryRoleChangedPermission",
        "DeliveryRoleChangedRuleLostAlarm",
    }


@pytest.mark.parametrize("queue", QUEUES)
def test_a_claim_outlives_every_message_of_a_failure_queue(queue: str) -> None:
    """Otherwise a batch that is processed again after the claim's end would page a second time."""
    assert stack.properties(queue)["MessageRetentionPeriod"] < INCIDENTS.ttl


@pytest.mark.parametrize("queue", ["MonitorFailureQueue", "EnforcerFailureQueue"])
def test_no_policy_opens_a_failure_destination_to_the_public(queue: str) -> None:
    statements = stack.properties(f"{queue}Policy")["PolicyDocument"]["Statement"]
    assert [each["Effect"] for each in statements] == ["Deny"]
