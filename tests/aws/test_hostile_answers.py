"""AWS's answers with each member dropped or of another type: one bad resource costs that resource at most."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from copy import copy
from datetime import UTC, datetime
from typing import Any, Final, cast

import pytest
from botocore.exceptions import ClientError

from flowwarden.aws.ec2.flow_logs import Ec2FlowLogs
from flowwarden.aws.ec2.interfaces import DescribedInterfaces
from flowwarden.aws.ec2.log_formats import DescribedFormats
from flowwarden.aws.errors import classified
from flowwarden.aws.iam import Roles
from flowwarden.aws.logs import LogGroups
from flowwarden.enforcer.state.desired import resolved
from flowwarden.errors import (
    EnforcementError,
    FlowWardenError,
    InterfacesUnavailable,
    LogFormatsUnavailable,
)
from flowwarden.policy.flow_logs import FlowLogSpec
from flowwarden.unreadable import Unreadable
from tests.enforcer.fakes import STACK

DROPPED: Final = object()
AT: Final = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
WRONG: Final[tuple[Any, ...]] = (
    DROPPED, None, 5, -1, 10**40, float("nan"), True, "", "junk\n\x1b", "10.0.0.1/8", b"x", [], [5], [None],
    {}, {"x": 5}, AT,
)  # fmt: skip
"""The values that replace a member."""


class Answering:
    """A client that gives the same answers to every call, by the name of its operation."""

    def __init__(self, answers: Mapping[str, Any]) -> None:
        self._answers = answers

    def get_paginator(self, operation: str) -> Pages:
        """A paginator with one page."""
        return Pages(self._answers[operation])

    def __getattr__(self, operation: str) -> Callable[..., Any]:
        """The call of an operation."""
        return lambda **_: self._answers[operation]


class Pages:
    """A paginator with one page."""

    def __init__(self, page: Any) -> None:
        self._page = page

    def paginate(self, **_: Any) -> list[Any]:
        """The only page."""
        return [self._page]


def paths(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """The paths of all members and items in an answer."""
    names = value if isinstance(value, dict) else range(len(value)) if isinstance(value, list) else ()
    for name in names:
        yield (*path, name)
        yield from paths(value[name], (*path, name))


def broken(value: Any, path: tuple[Any, ...], wrong: object) -> Any:
    """A copy with another value at the path, or without one; it shares the parts beside the path."""
    name, *rest = path
    copied = copy(value)
    if rest:
        copied[name] = broken(value[name], tuple(rest), wrong)
    elif wrong is DROPPED:
        del copied[name]
    else:
        copied[name] = wrong
    return copied


def damaged(answers: dict[str, Any], resource: tuple[Any, ...]) -> Iterator[dict[str, Any]]:
    """The answers with one member of one resource broken, in every place and every way."""
    found = answers
    for name in resource:
        found = found[name]
    for path in ((), *paths(found)):
        for wrong in WRONG:
            if path or wrong is not DROPPED:
                yield broken(answers, (*resource, *path), wrong)


def tags() -> list[dict[str, str]]:
    """Tags, of one resource only."""
    return [{"Key": "Role", "Value": "web"}, {"Key": "Owner", "Value": "shop"}]


def card(number: int) -> dict[str, Any]:
    """A network interface."""
    return {
        "NetworkInterfaceId": f"eni-{number}",
        "VpcId": f"vpc-{number}",
        "SubnetId": f"subnet-{number}",
        "PrivateIpAddresses": [{"PrivateIpAddress": f"10.{number}.0.1"}],
        "Ipv6Addresses": [{"Ipv6Address": f"2001:db8::{number}"}],
        "Association": {"PublicIp": f"198.51.100.{number}"},
        "Groups": [{"GroupId": f"sg-{number}", "GroupName": "web"}],
        "InterfaceType": "interface",
        "Description": f"ELB app/web-{number}/0123456789abcdef",
        "RequesterId": "amazon-elb",
        "RequesterManaged": True,
        "Attachment": {"InstanceId": f"i-{number}", "InstanceOwnerId": "111122223333", "AttachTime": AT},
        "TagSet": tags(),
        "Status": "in-use",
    }


def vpc(number: int) -> dict[str, Any]:
    """A VPC."""
    return {
        "VpcId": f"vpc-{number}",
        "OwnerId": "111122223333",
        "CidrBlock": f"10.{number}.0.0/16",
        "Tags": tags(),
        "CidrBlockAssociationSet": [
            {"CidrBlock": f"10.{number}.0.0/16", "CidrBlockState": {"State": "associated"}}
        ],
        "Ipv6CidrBlockAssociationSet": [
            {"Ipv6CidrBlock": f"2001:db8:{number}::/56", "Ipv6CidrBlockState": {"State": "associated"}}
        ],
    }


def instance(number: int) -> dict[str, Any]:
    """A reservation of one instance."""
    described = {"InstanceId": f"i-{number}", "State": {"Name": "running"}, "Tags": tags(), "LaunchTime": AT}
    return {"ReservationId": f"r-{number}", "Instances": [described]}


def flow_log(number: int) -> dict[str, Any]:
    """A flow log."""
    return {
        "FlowLogId": f"fl-{number}",
        "ResourceId": f"vpc-{number}",
        "LogDestinationType": "cloud-watch-logs",
        "LogGroupName": "/flow-logs",
        "LogDestination": "arn:aws:logs:eu-west-1:111122223333:log-group:/flow-logs",
        "DeliverLogsPermissionArn": "arn:aws:iam::111122223333:role/delivery",
        "DeliverLogsStatus": "SUCCESS",
        "DeliverLogsErrorMessage": "Access error",
        "CreationTime": AT,
        "Tags": tags(),
        "LogFormat": f"${{srcaddr}} ${{dstaddr}} ${{field-{number}}}",
        "TrafficType": "ALL",
        "MaxAggregationInterval": 60,
        "DestinationOptions": {
            "FileFormat": "plain-text", "HiveCompatiblePartitions": False, "PerHourPartition": False,
        },
        "TagFieldSpecifications": [{"ResourceType": "instance", "TagKeys": ["Role"]}],
    }  # fmt: skip


EC2: Final[dict[str, Any]] = {
    "describe_network_interfaces": {"NetworkInterfaces": [card(1), card(2)]},
    "describe_instances": {"Reservations": [instance(1), instance(2)]},
    "describe_vpcs": {"Vpcs": [vpc(1), vpc(2)]},
    "describe_subnets": {
        "Subnets": [
            {"SubnetId": f"subnet-{each}", "VpcId": f"vpc-{each}", "Tags": [{"Key": "Name", "Value": "a"}]}
            for each in (1, 2)
        ]
    },
    "describe_flow_logs": {"FlowLogs": [flow_log(1), flow_log(2)]},
}


def monitored(answers: dict[str, Any], notes: Unreadable | None = None) -> Any:
    """What the monitor reads of both interfaces."""
    client: Any = Answering(answers)
    return DescribedInterfaces(lambda: client, notes).describe(["eni-1", "eni-2"])


FIRST: Final = [
    ("describe_network_interfaces", "NetworkInterfaces", 0),
    ("describe_instances", "Reservations", 0),
    ("describe_vpcs", "Vpcs", 0),
]


@pytest.mark.parametrize("resource", FIRST, ids=[call for call, *_ in FIRST])
def test_a_malformed_description_costs_the_monitor_no_other_interface(resource: tuple[Any, ...]) -> None:
    """The other one keeps its role, its networks and its activity; what was left out is noted."""
    sound, noted = monitored(EC2)["eni-2"], 0
    for answers in damaged(EC2, resource):
        notes = Unreadable()
        assert monitored(answers, notes)["eni-2"] == sound
        noted += notes.take().count > 0
    assert noted > 50


def test_a_malformed_subnet_costs_no_other_name() -> None:
    """What was left out is noted; the lookup of names by address reads interfaces in the same way."""
    noted = 0
    for answers in damaged(EC2, ("describe_subnets", "Subnets", 0)):
        notes, client = Unreadable(), cast("Any", Answering(answers))
        names = DescribedInterfaces(lambda: client, notes).subnet_names(["subnet-1", "subnet-2"])  # noqa: B023
        assert names["subnet-2"] == "a"
        noted += notes.take().count > 0
    assert noted > 20


def test_a_malformed_interface_costs_no_other_host() -> None:
    """The one at the same address in another VPC keeps its name, its networks and its place."""
    sound = monitored(EC2)["eni-2"]
    for answers in damaged(EC2, FIRST[0]):
        client = cast("Any", Answering(answers))
        found = DescribedInterfaces(lambda: client).having(["vpc-1", "vpc-2"], ["10.2.0.1"])  # noqa: B023
        assert sound in found


def test_sound_descriptions_are_not_noted() -> None:
    """Neither are members that EC2 leaves out."""
    notes = Unreadable()
    assert len(monitored(EC2, notes)) == 2
    assert notes.take().count == 0


@pytest.mark.parametrize("call", EC2)
def test_a_malformed_page_raises_no_error_but_those_of_the_project(call: str) -> None:
    """Whatever EC2 sends instead of the page or the list, to the monitor and to the enforcer."""
    ((member, _),) = EC2[call].items()
    pages = [broken(EC2, (call,), wrong) for wrong in WRONG if wrong is not DROPPED]
    answers = [*pages, *(broken(EC2, (call, member), wrong) for wrong in WRONG)]
    failed = 0
    for each in answers:
        for use in uses(Answering(each), call):
            try:
                use()
            except (InterfacesUnavailable, LogFormatsUnavailable, EnforcementError):
                failed += 1
    assert failed >= len(answers) // 2


def uses(client: Any, call: str) -> Iterator[Callable[[], object]]:
    """What the monitor reads, and what the enforcer reads with this call."""
    yield lambda: DescribedInterfaces(lambda: client).describe(["eni-1"])
    yield lambda: DescribedInterfaces(lambda: client).subnet_names(["subnet-1"])
    yield lambda: DescribedInterfaces(lambda: client).having(["vpc-1"], ["10.0.0.1"])
    yield lambda: DescribedFormats(lambda: client).written_into("/x")
    (method,) = (name for name, operation in READS.items() if operation == call)
    yield lambda: list(getattr(Ec2FlowLogs(client), method)(None))


READS: Final = {
    "vpcs": "describe_vpcs",
    "flow_logs": "describe_flow_logs",
    "interfaces": "describe_network_interfaces",
    "running": "describe_instances",
    "subnets": "describe_subnets",
}


@pytest.mark.parametrize("method", READS)
def test_a_malformed_description_costs_the_enforcer_no_other_resource(method: str) -> None:
    """It is skipped, wholly or in part, and reported as unread."""
    call = READS[method]
    (member,) = EC2[call]

    def read(answers: dict[str, Any]) -> tuple[list[Any], int]:
        client: Any = Answering(answers)
        service = Ec2FlowLogs(client)
        return list(getattr(service, method)(None)), len(service.unread())

    (_, sound), none = read(EC2)
    assert none == 0
    for answers in damaged(EC2, (call, member, 0)):
        found, unread = read(answers)
        assert sound in found
        # A reservation without instances is empty, not malformed.
        assert len(found) == 2 or unread or method == "running"


def test_a_flow_log_with_a_member_of_another_type_is_unread() -> None:
    """What is known of it is too little to compare, replace or delete it."""
    for path in paths(flow_log(1)):
        answers = broken(EC2, ("describe_flow_logs", "FlowLogs", 0, *path), 5.5)
        client: Any = Answering(answers)
        service = Ec2FlowLogs(client)
        assert [each.flow_log_id for each in service.flow_logs(None)] == ["fl-2"], path
        assert len(service.unread()) == 1


def test_a_malformed_flow_log_costs_no_other_log_format() -> None:
    """The monitor learns the other one."""
    for answers in damaged(EC2, ("describe_flow_logs", "FlowLogs", 0)):
        client: Any = Answering(answers)
        found = DescribedFormats(lambda: client).written_into("/flow-logs")  # noqa: B023
        assert found[-1] == flow_log(2)["LogFormat"]
        assert all(each is None or isinstance(each, str) for each in found)


def group(number: int) -> dict[str, Any]:
    """A log group."""
    return {"logGroupName": f"/flow-logs-{number}", "retentionInDays": 30, "kmsKeyId": "arn:aws:kms:::key/1"}


FILTER: Final = {"filterName": "f", "destinationArn": "arn:aws:lambda:::f", "filterPattern": "x"}
LOGS: Final[dict[str, Any]] = {
    "describe_log_groups": {"logGroups": [group(1), group(2)]},
    "describe_subscription_filters": {"subscriptionFilters": [FILTER, dict(FILTER)]},
}
NAMES: Final = ["/flow-logs-1", "/flow-logs-2"]


def test_a_malformed_log_group_costs_no_other_group() -> None:
    """Nor does a malformed subscription filter cost another filter."""
    client: Any = Answering(LOGS)
    sound = list(LogGroups(client).groups(NAMES))[-1]
    for answers in damaged(LOGS, ("describe_log_groups", "logGroups", 0)):
        client = Answering(answers)
        assert list(LogGroups(client).groups(NAMES))[-1] == sound
    for answers in damaged(LOGS, ("describe_subscription_filters", "subscriptionFilters", 0)):
        client = Answering(answers)
        assert list(LogGroups(client).groups(NAMES))[-1].subscriptions[-1] == sound.subscriptions[-1]


TRUST: Final = {
    "Statement": [
        {
            "Effect": "Allow",
            "Principal": {"Service": "vpc-flow-logs.amazonaws.com"},
            "Action": "sts:AssumeRole",
        }
    ]
}
POLICY: Final = {"Statement": [{"Effect": "Allow", "Action": ["logs:*"], "Resource": "*"}]}
IAM: Final[dict[str, Any]] = {
    "get_role": {
        "Role": {
            "AssumeRolePolicyDocument": TRUST,
            "PermissionsBoundary": {"PermissionsBoundaryArn": "arn:aws:iam::aws:policy/x"},
        }
    },
    "list_role_policies": {"PolicyNames": ["a", "b"]},
    "get_role_policy": {"PolicyDocument": POLICY},
    "list_attached_role_policies": {"AttachedPolicies": [{"PolicyArn": "arn:aws:iam::aws:policy/y"}]},
    "get_policy": {"Policy": {"DefaultVersionId": "v1"}},
    "get_policy_version": {"PolicyVersion": {"Document": POLICY}},
}


def check_only_project_errors(answers: dict[str, Any], use: Callable[[Any], object]) -> int:
    """Use a client with each part of each answer broken; returns the number of errors of the project."""
    failed = 0
    for call in answers:
        for broken_answers in damaged(answers, (call,)):
            try:
                use(Answering(broken_answers))
            except FlowWardenError:
                failed += 1
    return failed


def test_a_malformed_answer_of_iam_is_an_error_of_the_project_or_unread() -> None:
    """Never one of Python, which would end the run."""
    assert check_only_project_errors(IAM, lambda client: Roles(client).describe("arn:aws:iam::1:role/d"))


REFUSED: Final = {"ResourceId": "vpc-1", "Error": {"Code": "RequestLimitExceeded", "Message": "slow down"}}


def test_a_malformed_answer_to_a_change_is_an_error_of_the_project() -> None:
    """A flow log's creation and deletion."""
    desired = resolved(FlowLogSpec(), STACK)
    created = {"create_flow_logs": {"FlowLogIds": ["fl-1"], "Unsuccessful": []}}
    deleted = {"delete_flow_logs": {"Unsuccessful": [REFUSED]}}
    assert check_only_project_errors(
        created, lambda client: Ec2FlowLogs(client).create("vpc-1", desired, "t")
    )
    assert check_only_project_errors(deleted, lambda client: Ec2FlowLogs(client).delete("fl-1"))


def test_a_malformed_error_is_an_error_of_the_project() -> None:
    """Whatever its code, message or status is."""
    response: dict[str, Any] = {
        "Error": {"Code": "Throttling", "Message": "slow down"},
        "ResponseMetadata": {"HTTPStatusCode": 503},
    }
    for path in paths(response):
        for wrong in WRONG:
            error = ClientError({}, "DescribeVpcs")
            error.response = broken(response, path, wrong)
            with pytest.raises(EnforcementError), classified("DescribeVpcs"):
                raise error
