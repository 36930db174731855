"""Log formats as described by EC2, and EC2's errors."""

from __future__ import annotations

from collections.abc import Iterator
from typing import TYPE_CHECKING, Any

import pytest
from botocore.exceptions import ConnectTimeoutError, NoCredentialsError
from botocore.stub import Stubber
from moto import mock_aws

from flowwarden.aws.ec2.log_formats import DescribedFormats
from flowwarden.errors import LogFormatsUnavailable
from flowwarden.records.log_format import DEFAULT_LOG_FORMAT
from tests.aws.clients import session

if TYPE_CHECKING:  # importing the stubs takes half a second
    from mypy_boto3_ec2 import EC2Client

GROUP = "/flow-warden/flow-logs"
ASKED = {"Filters": [{"Name": "log-group-name", "Values": [GROUP]}]}


def create(ec2: EC2Client, log_group: str, log_format: str | None) -> None:
    """Create a VPC with a flow log to the group."""
    vpc = ec2.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]
    given: dict[str, Any] = {"LogFormat": log_format} if log_format else {}
    ec2.create_flow_logs(
        ResourceIds=[vpc],
        ResourceType="VPC",
        TrafficType="ALL",
        LogGroupName=log_group,
        DeliverLogsPermissionArn="arn:aws:iam::123456789012:role/delivery",
        **given,
    )


def test_only_the_flow_logs_of_the_group_are_returned() -> None:
    """Including an unmanaged one with the default format."""
    with mock_aws():
        ec2, logs = session().client("ec2"), session().client("logs")
        for group in (GROUP, "/other"):
            logs.create_log_group(logGroupName=group)
        create(ec2, GROUP, "${version} ${srcaddr} ${dstaddr}")
        create(ec2, GROUP, None)
        create(ec2, "/other", "${bytes}")
        found = DescribedFormats(lambda: ec2).written_into(GROUP)
    assert sorted(text or "" for text in found) == [
        DEFAULT_LOG_FORMAT.to_log_format(),
        "${version} ${srcaddr} ${dstaddr}",
    ]


@pytest.fixture(scope="module")
def client() -> EC2Client:
    """One client for all stubs: creating a client takes almost a second."""
    return session().client("ec2")


@pytest.fixture
def stub(client: EC2Client) -> Iterator[Stubber]:
    """A client without a network: it returns the test's responses in order, and checks every call."""
    with Stubber(client) as stubber:
        yield stubber


def formats(stub: Stubber) -> DescribedFormats:
    """The adapter on a stubbed client."""
    client: Any = stub.client
    return DescribedFormats(lambda: client)


def test_pages_are_followed_and_a_missing_format_is_none(stub: Stubber) -> None:
    """A local AWS emulator returns no format; this means unknown, not the default."""
    stub.add_response(
        "describe_flow_logs", {"FlowLogs": [{"LogFormat": "${version}"}], "NextToken": "more"}, ASKED
    )
    stub.add_response(
        "describe_flow_logs", {"FlowLogs": [{"FlowLogId": "fl-2"}]}, {**ASKED, "NextToken": "more"}
    )
    assert formats(stub).written_into(GROUP) == ["${version}", None]
    stub.assert_no_pending_responses()


@pytest.mark.parametrize("code", ["RequestLimitExceeded", "UnauthorizedOperation", "InternalError"])
def test_a_refused_call_raises_log_formats_unavailable(stub: Stubber, code: str) -> None:
    """For any reason; the batch is still processed."""
    stub.add_client_error("describe_flow_logs", code)
    with pytest.raises(LogFormatsUnavailable, match=f"DescribeFlowLogs: .*{code}"):
        formats(stub).written_into(GROUP)


def test_a_failure_on_a_later_page_returns_no_partial_result(stub: Stubber) -> None:
    """With a format missing among the candidates, lines would be parsed wrongly."""
    stub.add_response("describe_flow_logs", {"FlowLogs": [{"LogFormat": "${version}"}], "NextToken": "more"})
    stub.add_client_error("describe_flow_logs", "RequestLimitExceeded")
    with pytest.raises(LogFormatsUnavailable):
        formats(stub).written_into(GROUP)


@pytest.mark.parametrize("error", [ConnectTimeoutError(endpoint_url="https://ec2"), NoCredentialsError()])
def test_a_client_that_cannot_be_created_or_connect_raises_the_same_error(error: Exception) -> None:
    """A function in a VPC without a route to EC2 continues."""

    def fail() -> EC2Client:
        raise error

    with pytest.raises(LogFormatsUnavailable):
        DescribedFormats(fail).written_into(GROUP)


def test_the_client_is_created_once_at_the_first_call(stub: Stubber) -> None:
    """Creating it takes long, and most containers never need it."""
    made = []

    def make() -> Any:
        made.append(1)
        return stub.client

    described = DescribedFormats(make)
    assert made == []
    for _ in range(2):
        stub.add_response("describe_flow_logs", {"FlowLogs": []})
        assert described.written_into(GROUP) == []
    assert made == [1]
