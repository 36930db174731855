"""What `flowwarden uninstall` finds, which calls it makes, and that a refused read removes nothing."""

from __future__ import annotations

import json
from typing import Any

import msgspec
import pytest
from botocore.exceptions import EndpointConnectionError
from msgspec.structs import replace

from flowwarden.aws.removal import CALLER_ACTIONS
from flowwarden.bootstrap.uninstall import on_aws
from flowwarden.doctor.groups import patterns_of
from flowwarden.enforcer.creation import ManagedFlowLog
from flowwarden.errors import CallRefused, EnforcementError, FlowWardenError, NotDeployed
from flowwarden.removal.inventory import Filter, OwnFlowLog, OwnGroup
from flowwarden.removal.plan import (
    DeleteFilter,
    DeleteFlowLog,
    DeleteLogGroup,
    DeleteStack,
    DisableRule,
    Step,
    StopEnforcer,
)
from flowwarden.removal.ports import Deletion
from flowwarden.removal.remove import Progress, remove
from flowwarden.state.schema import MANAGED_FLOW_LOGS
from tests.bootstrap.fakes_installation import (
    GROUP,
    MONITOR_ARN,
    NOW,
    REGION,
    Account,
    answers,
    name_of,
    refusal,
)

TAGS = [{"Key": "flow-warden:managed", "Value": "flow-warden"}]
PARTITION, SORT = MANAGED_FLOW_LOGS.address("fl-1")
RECORD = {
    "pk": {"S": PARTITION},
    "sk": {"S": SORT},
    "content": {
        "S": msgspec.json.encode(ManagedFlowLog(flow_log_id="fl-1", vpc_id="vpc-1", at=NOW)).decode()
    },
}
OTHER = {"filterName": "archive", "filterPattern": "", "destinationArn": "arn:aws:firehose:x"}
OURS = {"filterName": "ours", "filterPattern": "", "destinationArn": MONITOR_ARN}


def _flow_logs() -> list[dict[str, Any]]:
    """One with tag and record, one with the tag, one with another stack's tag, and one without a tag."""
    others = [{"Key": "flow-warden:managed", "Value": "another"}]
    return [
        {"FlowLogId": f"fl-{number}", "ResourceId": f"vpc-{number}", "Tags": tags}
        for number, tags in enumerate((TAGS, TAGS, others, []), 1)
    ]


def account(**changed: Any) -> Account:
    """The account, with other answers by `service__operation`."""
    given = {
        **answers(),
        ("ec2", "describe_flow_logs"): {"FlowLogs": _flow_logs()},
        ("dynamodb", "query"): {"Items": [RECORD]},
        ("logs", "describe_subscription_filters"): {"subscriptionFilters": [OTHER, OURS]},
    }
    others = {tuple(name.split("__")): each for name, each in changed.items()}
    return Account({**given, **others})  # type: ignore[dict-item]


def found(**changed: Any) -> Any:
    """The inventory."""
    return on_aws("flow-warden", REGION, NOW, account(**changed).client).inventory()


def test_the_inventory_has_what_the_stack_changed_and_nothing_of_others() -> None:
    """Only the flow log with tag and record is managed; a filter is its own if it sends to the monitor."""
    inventory = found()
    assert inventory.managed == (OwnFlowLog(flow_log_id="fl-1", resource_id="vpc-1"),)
    assert inventory.unproven == (OwnFlowLog(flow_log_id="fl-2", resource_id="vpc-2"),)
    assert inventory.filters == (Filter(group=GROUP, name="ours"),)
    assert inventory.groups == (OwnGroup(name=GROUP),)
    assert (inventory.enforcer, inventory.rules) == ("EnforcerFunction-1", ("SweepSchedule-1",))
    assert (inventory.exists, inventory.stopped, inventory.protected) == (True, False, False)


def test_the_log_group_of_transit_gateways_is_one_of_the_stack_if_the_policy_selects_some() -> None:
    """And the managed flow log of one is removed."""
    record = ManagedFlowLog(flow_log_id="fl-1", vpc_id="tgw-1", at=NOW)
    function = answers()["lambda", "get_function_configuration"]
    policy = json.dumps({"flow_logs": {"transit_gateways": {"where": [{}]}}})
    variables = {**function["Environment"]["Variables"], "POLICY": policy}
    groups = [{"logGroupName": each} for each in (GROUP, f"{GROUP}-transit-gateways")]
    given = {
        "dynamodb__query": {"Items": [{**RECORD, "content": {"S": msgspec.json.encode(record).decode()}}]},
        "ec2__describe_flow_logs": {
            "FlowLogs": [
                {"FlowLogId": "fl-1", "ResourceId": "tgw-1", "Tags": TAGS},
                {"FlowLogId": "fl-2", "ResourceId": "tgw-1", "Tags": []},
            ]
        },
        "logs__describe_log_groups": {"logGroups": groups},
    }
    without = found(**given)
    assert [each.name for each in without.groups] == [GROUP]
    assert [each.name for each in without.similar] == [f"{GROUP}-transit-gateways"]
    given["lambda__get_function_configuration"] = {**function, "Environment": {"Variables": variables}}
    inventory = found(**given)
    assert inventory.managed == (OwnFlowLog(flow_log_id="fl-1", resource_id="tgw-1"),)
    assert [each.name for each in inventory.groups] == [GROUP, f"{GROUP}-transit-gateways"]
    assert inventory.similar == ()


@pytest.mark.parametrize("part", ["subnet-1", "eni-1"])
def test_flow_logs_of_subnets_and_interfaces_are_removed_if_they_are_managed(part: str) -> None:
    """The record names the part. One with the tag alone, one of another part and one of others stay."""
    record = ManagedFlowLog(flow_log_id="fl-1", vpc_id="vpc-1", resource_id=part, at=NOW)
    stored = {**RECORD, "content": {"S": msgspec.json.encode(record).decode()}}
    listed = [
        {"FlowLogId": name, "ResourceId": resource, "Tags": tags}
        for name, resource, tags in (("fl-1", part, TAGS), ("fl-2", f"{part}2", TAGS), ("fl-3", part, []))
    ]
    answers = {"dynamodb__query": {"Items": [stored]}}
    inventory = found(ec2__describe_flow_logs={"FlowLogs": listed}, **answers)
    assert inventory.managed == (OwnFlowLog(flow_log_id="fl-1", resource_id=part),)
    assert [each.flow_log_id for each in inventory.unproven] == ["fl-2"]
    listed[0]["ResourceId"] = "vpc-1"
    inventory = found(ec2__describe_flow_logs={"FlowLogs": listed}, **answers)
    assert inventory.managed == ()


def test_log_groups_are_found_by_the_monitors_policy() -> None:
    """A group elsewhere has a filter of the stack, and is none of its own groups."""
    groups = [
        {"logGroupName": each}
        for each in (GROUP, f"{GROUP}-1a2b3c4d", f"{GROUP}-of-another-stack", "/aws/vpc/1")
    ]
    inventory = found(logs__describe_log_groups={"logGroups": groups})
    assert [each.group for each in inventory.filters] == [each["logGroupName"] for each in groups]
    assert [each.name for each in inventory.groups] == [GROUP, f"{GROUP}-1a2b3c4d"]
    assert [each.name for each in inventory.similar] == [f"{GROUP}-of-another-stack"]


def test_a_group_of_another_class_has_no_filters_to_read() -> None:
    """Reading them is an error."""
    group = {"logGroupName": GROUP, "logGroupClass": "INFREQUENT_ACCESS", "deletionProtectionEnabled": True}
    inventory = found(
        logs__describe_log_groups={"logGroups": [group]},
        logs__describe_subscription_filters=refusal(
            "describe_subscription_filters", "InvalidOperationException"
        ),
    )
    assert inventory.filters == ()
    assert inventory.groups == (OwnGroup(name=GROUP, protected=True),)


READS = sorted(
    {
        ("cloudformation", "list_stack_resources"),
        ("lambda", "get_function_configuration"), ("lambda", "get_function_concurrency"),
        ("lambda", "get_policy"), ("events", "describe_rule"), ("logs", "describe_log_groups"),
        ("logs", "describe_subscription_filters"), ("ec2", "describe_flow_logs"), ("dynamodb", "query"),
    }
)  # fmt: skip


@pytest.mark.parametrize(("service", "operation"), READS)
@pytest.mark.parametrize("code", ["AccessDenied", "InternalError", ""])
def test_if_a_part_cannot_be_read_the_inventory_is_an_error(service: str, operation: str, code: str) -> None:
    """Otherwise the stack, which proves what is its own, would be deleted too early."""
    error = (
        refusal(operation, code) if code else EndpointConnectionError(endpoint_url="https://example.invalid")
    )
    with pytest.raises(EnforcementError):
        found(**{f"{service}__{operation}": error})


@pytest.mark.parametrize(
    ("gone", "member"),
    [
        ("lambda__get_function_configuration", "enforcer"),
        ("events__describe_rule", "rules"),
        ("logs__describe_subscription_filters", "filters"),
        ("dynamodb__query", "managed"),
    ],
)
def test_what_is_deleted_already_is_left_out(gone: str, member: str) -> None:
    """As after an interruption, or in a stack that is half deleted."""
    error = refusal(gone.partition("__")[2], "ResourceNotFoundException")
    assert not getattr(found(**{gone: error}), member)


def test_without_the_state_table_no_flow_log_is_proven() -> None:
    """Both tagged ones are named, and stay."""
    inventory = found(dynamodb__query=refusal("query", "ResourceNotFoundException"))
    assert [each.flow_log_id for each in inventory.unproven] == ["fl-1", "fl-2"]


@pytest.mark.parametrize("others", [(), ("StateTable",), ("EnforcerFunction",)])
def test_a_monitor_that_is_deleted_already_still_names_its_filters(others: tuple[str, ...]) -> None:
    """CloudFormation lists deleted resources with their names. The policy names the existing groups."""
    listed = answers()["cloudformation", "list_stack_resources"]["StackResourceSummaries"]
    for each in listed:
        if each["LogicalResourceId"] in {"MonitorFunction", *others}:
            each["ResourceStatus"] = "DELETE_COMPLETE"
    groups = (GROUP, "/aws/vpc/1", "/elsewhere")
    inventory = found(
        cloudformation__list_stack_resources={"StackResourceSummaries": listed},
        logs__describe_log_groups=lambda logGroupNamePrefix: {  # noqa: N803 - AWS's name
            "logGroups": [{"logGroupName": each} for each in groups if each.startswith(logGroupNamePrefix)]
        },
    )
    assert {each.group for each in inventory.filters} == {GROUP, "/aws/vpc/1"}
    assert (inventory.managed == ()) == ("StateTable" in others)


STEPS: list[tuple[Step, str, dict[str, Any]]] = [
    (DisableRule(rule="r"), "disable_rule", {"Name": "r"}),
    (
        StopEnforcer(function="e"),
        "put_function_concurrency",
        {"FunctionName": "e", "ReservedConcurrentExecutions": 0},
    ),
    (
        DeleteFilter(filter=Filter(group="g", name="f")),
        "delete_subscription_filter",
        {"logGroupName": "g", "filterName": "f"},
    ),
    (
        DeleteFlowLog(flow_log=OwnFlowLog(flow_log_id="fl-1", resource_id="vpc-1")),
        "delete_flow_logs",
        {"FlowLogIds": ["fl-1"]},
    ),
    (DeleteLogGroup(group=OwnGroup(name="g")), "delete_log_group", {"logGroupName": "g"}),
    (
        DeleteStack(stack="flow-warden"),
        "delete_stack",
        {"StackName": f"arn:aws:cloudformation:{REGION}:111122223333:stack/flow-warden/1a"},
    ),
]
SERVICES = {
    "disable_rule": "events", "put_function_concurrency": "lambda", "delete_subscription_filter": "logs",
    "delete_flow_logs": "ec2", "delete_log_group": "logs", "delete_stack": "cloudformation",
}  # fmt: skip


def act(step: Step, answer: Any, operation: str) -> Account:
    """Take a step; the call has this answer."""
    made = account(**{f"{SERVICES[operation]}__{operation}": answer})
    on_aws("flow-warden", REGION, NOW, made.client).carry_out(step)
    return made


@pytest.mark.parametrize(("step", "operation", "parameters"), STEPS)
def test_a_step_makes_one_call(step: Step, operation: str, parameters: dict[str, Any]) -> None:
    """With the name of what it changes."""
    made = act(step, {}, operation)
    assert made.calls[-1] == (operation, parameters)


@pytest.mark.parametrize(("step", "operation", "parameters"), STEPS)
def test_what_does_not_exist_any_more_counts_as_removed(
    step: Step, operation: str, parameters: dict[str, Any]
) -> None:
    """Another process, or an earlier run, removed it."""
    code = "InvalidFlowLogId.NotFound" if operation == "delete_flow_logs" else "ResourceNotFoundException"
    assert act(step, refusal(operation, code), operation).calls[-1] == (operation, parameters)


@pytest.mark.parametrize(("step", "operation", "parameters"), STEPS)
def test_a_refused_step_is_an_error(step: Step, operation: str, parameters: dict[str, Any]) -> None:
    """With the advice for the caller."""
    assert parameters
    with pytest.raises(CallRefused):
        act(step, refusal(operation), operation)


def test_a_protected_group_is_unprotected_before_it_is_deleted() -> None:
    """Only with the choice to delete the groups."""
    made = account(logs__put_log_group_deletion_protection={}, logs__delete_log_group={})
    installation = on_aws("flow-warden", REGION, NOW, made.client)
    installation.carry_out(DeleteLogGroup(group=OwnGroup(name="g", protected=True)))
    assert [operation for operation, _ in made.calls[-2:]] == [
        "put_log_group_deletion_protection", "delete_log_group",
    ]  # fmt: skip


def stack(status: str) -> dict[str, Any]:
    """The description of the stack in this state."""
    described = answers()["cloudformation", "describe_stacks"]["Stacks"][0]
    return {"Stacks": [{**described, "StackStatus": status}]}


def deletion(after: Any, resources: list[dict[str, Any]]) -> Deletion:
    """How far the deletion is, if CloudFormation describes the stack in this way after it was found."""
    first = [answers()["cloudformation", "describe_stacks"]]

    def describe(**_: Any) -> Any:
        if first:
            return first.pop()
        if isinstance(after, Exception):
            raise after
        return after

    made = account(cloudformation__describe_stacks=describe)
    installation = on_aws("flow-warden", REGION, NOW, made.client)
    made.replace("cloudformation", "list_stack_resources", {"StackResourceSummaries": resources})
    return installation.deletion()


def test_the_deletion_is_over_when_the_stack_is_gone() -> None:
    """CloudFormation describes it as deleted for a while, or not at all."""
    missing = refusal("describe_stacks", "ValidationError")
    missing.response["Error"]["Message"] = "Stack with id x does not exist"
    nothing: dict[str, Any] = {"Stacks": []}
    for after in (stack("DELETE_COMPLETE"), missing, nothing):
        found_state = deletion(after, [])
        assert (found_state.status, found_state.is_over) == ("", True)


def test_the_progress_and_the_failures_of_the_deletion_are_read() -> None:
    """With the reason of each resource."""
    resources = [
        {
            "LogicalResourceId": "PagesTopic",
            "ResourceStatus": "DELETE_FAILED",
            "ResourceStatusReason": "denied",
        },
        {"LogicalResourceId": "StateTable", "ResourceStatus": "DELETE_COMPLETE"},
    ]
    running = deletion(stack("DELETE_IN_PROGRESS"), resources)
    assert (running.is_over, running.left) == (False, 1)
    failed = deletion(stack("DELETE_FAILED"), resources)
    assert (failed.is_over, failed.failures) == (True, ("PagesTopic: denied",))


def test_a_stack_that_does_not_exist_is_not_deployed() -> None:
    """There is nothing to remove."""
    error = refusal("describe_stacks", "ValidationError")
    error.response["Error"]["Message"] = "Stack with id flow-warden does not exist"
    with pytest.raises(NotDeployed):
        found(cloudformation__describe_stacks=error)


def test_a_policy_that_cannot_be_read_is_an_error() -> None:
    """It names log groups of the stack."""
    function = answers()["lambda", "get_function_configuration"]
    function["Environment"]["Variables"]["POLICY"] = "{broken"
    with pytest.raises(FlowWardenError):
        found(lambda__get_function_configuration=function, dynamodb__batch_get_item=refusal("batch_get_item"))


@pytest.mark.parametrize(
    ("source", "pattern"),
    [
        (f"arn:aws:logs:{REGION}:1:log-group:{GROUP}:*", GROUP),
        (f"arn:aws:logs:{REGION}:1:log-group:/aws/vpc/*:*", "/aws/vpc/*"),
        ("arn:aws:events:eu-west-1:1:rule/x", None),
        ("", None),
    ],
)
def test_the_policy_of_the_monitor_names_log_groups(source: str, pattern: str | None) -> None:
    """Each ends in `:*`; other sources name none."""
    assert patterns_of([source]) == ((pattern,) if pattern else ())


def test_the_permissions_are_those_of_the_calls() -> None:
    """Each step's operation is declared."""
    actions = {each.partition(":")[2] for each in CALLER_ACTIONS}
    assert {"".join(part.capitalize() for part in each.split("_")) for each in SERVICES} <= actions
    assert name_of("FlowLogGroup") == GROUP


class ProtectedGroup:
    """The log group of the stack, whose deletion CloudWatch Logs refuses while it is protected."""

    def __init__(self) -> None:
        self.protected = True
        self.deleted = False

    def answers(self) -> dict[str, Any]:
        """The answers of CloudWatch Logs, by `service__operation`."""
        return {
            "logs__describe_log_groups": self.describe,
            "logs__describe_subscription_filters": {"subscriptionFilters": []},
            "logs__put_log_group_deletion_protection": self.protect,
            "logs__delete_log_group": self.delete,
        }

    def describe(self, **_: Any) -> dict[str, Any]:
        """The group."""
        group = {"logGroupName": GROUP, "deletionProtectionEnabled": self.protected}
        return {"logGroups": [] if self.deleted else [group]}

    def protect(self, *, logGroupIdentifier: str, deletionProtectionEnabled: bool) -> dict[str, Any]:  # noqa: N803 - AWS's names
        """Switch the protection."""
        assert logGroupIdentifier == GROUP
        self.protected = deletionProtectionEnabled
        return {}

    def delete(self, *, logGroupName: str) -> dict[str, Any]:  # noqa: N803 - AWS's name
        """Delete the group, unless it is protected."""
        assert logGroupName == GROUP
        if self.protected:
            raise refusal("delete_log_group", "ValidationException")
        self.deleted = True
        return {}


@pytest.mark.parametrize("log_groups", [True, False])
def test_only_a_removal_with_the_log_groups_unprotects_and_deletes_them(*, log_groups: bool) -> None:
    """From the inventory to the end, with a group that the enforcer protected."""
    group = ProtectedGroup()
    made = account(**group.answers(), ec2__describe_flow_logs={"FlowLogs": []})
    installation = on_aws("flow-warden", REGION, NOW, made.client)
    found = replace(installation.inventory(), exists=False, enforcer="", rules=())  # nothing else is left
    progress = Progress(done=lambda _: None, deleting=lambda _: None, wait=lambda _: None)
    assert remove(found, installation, progress, log_groups=log_groups) == []
    assert (group.deleted, group.protected) == (log_groups, not log_groups)
