"""The part of EC2 that the enforcer works with: implements `ports.FlowLogService`."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from itertools import batched
from typing import TYPE_CHECKING

from botocore.exceptions import BotoCoreError, ClientError, ConnectionError, HTTPClientError  # noqa: A004  botocore's name

from flowwarden.compliance.desired import DesiredFlowLog
from flowwarden.compliance.inventory import FlowLog, Vpc
from flowwarden.errors import CallFailed, CallRefused, EnforcementError, FlowLogExists, VpcGone

if TYPE_CHECKING:
    # The stubs are no part of the Lambda runtime.
    from mypy_boto3_ec2 import EC2Client
    from mypy_boto3_ec2.type_defs import FlowLogTypeDef, TagTypeDef, VpcTypeDef

ACTIONS = (
    "ec2:DescribeVpcs",
    "ec2:DescribeFlowLogs",
    "ec2:CreateFlowLogs",
    "ec2:CreateTags",  # CreateFlowLogs with TagSpecifications
    "iam:PassRole",  # CreateFlowLogs hands the delivery role to vpc-flow-logs.amazonaws.com
)
"""The IAM actions that this file needs."""

VALUES_PER_FILTER = 200
"""EC2's limit for the values of one filter (EC2 API reference, Filter)."""

PASSING = frozenset(
    {
        "BandwidthLimitExceeded",
        "EC2ThrottledException",
        "InternalError",
        "InternalFailure",
        "InternalServerError",
        "RequestLimitExceeded",
        "RequestThrottled",
        "RequestThrottledException",
        "RequestTimeout",
        "RequestTimeoutException",
        "ServiceUnavailable",
        "SlowDown",
        "Throttling",
        "ThrottledException",
        "ThrottlingException",
        "TooManyRequestsException",
        "Unavailable",
    }
)
"""Error codes of throttling and outages: they pass by themselves."""
GONE = frozenset({"InvalidVpcID.NotFound", "InvalidVpcId.NotFound"})
SERVER_ERROR = 500
CANNOT_ASSUME = "unable to assume given iam role"

_PERMISSION = (
    "allow the enforcer's role ec2:DescribeVpcs, ec2:DescribeFlowLogs, ec2:CreateFlowLogs, ec2:CreateTags, "
    "and iam:PassRole on the delivery role; look also for a service control policy that denies them"
)
_DESTINATION = "check that the log group exists in this region and that the delivery role may write to it"
HINTS = {
    "UnauthorizedOperation": _PERMISSION,
    "AccessDenied": _PERMISSION,
    "AccessDeniedException": _PERMISSION,
    "FlowLogsLimitExceeded": (
        "delete flow logs of this VPC that nobody needs, or ask for a higher quota of flow logs per resource"
    ),
    "LogDestinationNotFoundException": _DESTINATION,
    "LogDestinationPermissionIssueException": _DESTINATION,
    "Access Denied for LogDestination": _DESTINATION,
    "IdempotentParameterMismatch": (
        "the same request was made with other parameters; change a setting of the flow log, or wait a day"
    ),
}
"""What a person does about an error code."""
OTHER_HINT = "compare the stack's settings with what the message says"
TRUST_HINT = (
    "a new role works after some seconds; if this stays, let the delivery role trust "
    "vpc-flow-logs.amazonaws.com for this account and region"
)


class Ec2FlowLogs:
    """VPCs and flow logs of the account and region that the client is made for."""

    def __init__(self, client: EC2Client) -> None:
        self._client = client

    def vpcs(self, vpc_ids: Sequence[str] | None) -> Iterator[Vpc]:
        """The named VPCs that exist, or all of them for None.

        A filter is asked, because one missing id among `VpcIds` would fail the whole call.

        Raises:
            CallRefused, CallFailed: DescribeVpcs failed, maybe on a later page.
        """
        pages = self._client.get_paginator("describe_vpcs")
        with _classified("DescribeVpcs"):
            if vpc_ids is None:
                for page in pages.paginate():
                    yield from map(_vpc, page["Vpcs"])
                return
            for ids in batched(vpc_ids, VALUES_PER_FILTER, strict=False):
                for page in pages.paginate(Filters=[{"Name": "vpc-id", "Values": list(ids)}]):
                    yield from map(_vpc, page["Vpcs"])

    def flow_logs(self, vpc_ids: Sequence[str]) -> Iterator[FlowLog]:
        """The VPC-level flow logs of these VPCs.

        Raises:
            CallRefused, CallFailed: DescribeFlowLogs failed, maybe on a later page.
        """
        pages = self._client.get_paginator("describe_flow_logs")
        with _classified("DescribeFlowLogs"):
            for ids in batched(vpc_ids, VALUES_PER_FILTER, strict=False):
                for page in pages.paginate(Filters=[{"Name": "resource-id", "Values": list(ids)}]):
                    yield from map(_flow_log, page["FlowLogs"])

    def create(self, vpc_id: str, desired: DesiredFlowLog, client_token: str) -> str:
        """Create the wanted flow log and return its id; the same token asks for the same flow log.

        One VPC a call: among several, nobody could tell whose flow log an id is.

        Raises:
            FlowLogExists, VpcGone, CallRefused, CallFailed: as an exception of botocore or as an
                `Unsuccessful` item inside a 200 answer; both mean the same.
        """
        with _classified("CreateFlowLogs"):
            answer = self._client.create_flow_logs(
                ResourceIds=[vpc_id],
                ResourceType="VPC",
                TrafficType="ALL",
                LogDestinationType="cloud-watch-logs",
                LogGroupName=desired.log_group_name,
                DeliverLogsPermissionArn=desired.delivery_role_arn,
                LogFormat=desired.log_format,
                MaxAggregationInterval=desired.max_aggregation_interval,
                TagSpecifications=[{"ResourceType": "vpc-flow-log", "Tags": _tag_list(desired.tags)}],
                ClientToken=client_token,
            )
        for item in answer.get("Unsuccessful", []):
            error = item.get("Error", {})
            raise classify("CreateFlowLogs", error.get("Code", ""), error.get("Message", ""))
        for flow_log_id in answer.get("FlowLogIds", []):
            return flow_log_id
        raise CallFailed("CreateFlowLogs answered with neither a flow log nor an error; looking again tells")


def classify(call: str, code: str, message: str, status: int = 0) -> EnforcementError:
    """The error that an EC2 error code means; what to do stands before EC2's message, which may be very long.

    Args:
        call: the API call that failed.
        code: EC2's error code, from an exception or from an `Unsuccessful` item.
        message: EC2's message.
        status: the HTTP status, 0 if there is none of its own.
    """
    told = f"{call}: {code}: {message}"
    if code == "FlowLogAlreadyExists":
        return FlowLogExists(told)
    if code in GONE:
        return VpcGone(told)
    if code in PASSING or status >= SERVER_ERROR:
        return CallFailed(told)
    if CANNOT_ASSUME in message.lower():
        return CallFailed(f"{call}: {code}: {TRUST_HINT}. EC2 says: {message}")
    return CallRefused(f"{call}: {code}: {HINTS.get(code, OTHER_HINT)}. EC2 says: {message}")


@contextmanager
def _classified(call: str) -> Iterator[None]:
    """Turn what botocore raises, after its own retries, into our errors."""
    try:
        yield
    except ClientError as error:
        told = error.response.get("Error", {})
        status = error.response.get("ResponseMetadata", {}).get("HTTPStatusCode", 0)
        raise classify(call, told.get("Code", ""), told.get("Message", ""), status) from error
    except (ConnectionError, HTTPClientError) as error:
        raise CallFailed(f"{call}: EC2 was not reached: {error}") from error
    except BotoCoreError as error:
        raise CallRefused(f"{call}: the call could not be made: {error}") from error


def _vpc(described: VpcTypeDef) -> Vpc:
    return Vpc(
        vpc_id=described["VpcId"],
        owner_id=described["OwnerId"],
        tags=_tag_dict(described.get("Tags", [])),
    )


def _flow_log(described: FlowLogTypeDef) -> FlowLog:
    created = described.get("CreationTime")
    return FlowLog(
        flow_log_id=described["FlowLogId"],
        resource_id=described["ResourceId"],
        traffic_type=described.get("TrafficType"),
        log_destination_type=described.get("LogDestinationType"),
        log_group_name=described.get("LogGroupName"),
        log_destination=described.get("LogDestination"),
        log_format=described.get("LogFormat"),
        max_aggregation_interval=described.get("MaxAggregationInterval"),
        deliver_logs_status=described.get("DeliverLogsStatus"),
        deliver_logs_error_message=described.get("DeliverLogsErrorMessage"),
        creation_time=int(created.timestamp()) if created else None,
        tags=_tag_dict(described.get("Tags", [])),
    )


def _tag_dict(tags: Iterable[TagTypeDef]) -> dict[str, str]:
    return {tag["Key"]: tag["Value"] for tag in tags}


def _tag_list(tags: dict[str, str]) -> list[TagTypeDef]:
    return [{"Key": key, "Value": value} for key, value in tags.items()]
