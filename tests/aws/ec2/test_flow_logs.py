"""EC2's VPCs and flow logs: on moto where it is accurate, otherwise with botocore's Stubber."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import boto3
import pytest
from botocore.config import Config
from botocore.exceptions import (
    ConnectTimeoutError,
    EndpointConnectionError,
    NoCredentialsError,
    ReadTimeoutError,
)
from botocore.stub import ANY, Stubber
from moto import mock_aws
from msgspec.structs import replace

from flowwarden.aws.ec2.flow_logs import HINTS, TAGS_PER_CALL, VALUES_PER_FILTER, Ec2FlowLogs, classify
from flowwarden.aws.errors import PASSING, THROTTLED
from flowwarden.enforcer.decide.coverage import Coverage, CoverageVerdict, judge
from flowwarden.enforcer.decide.drift import differences, is_wanted
from flowwarden.enforcer.decide.vpc_state import VpcState
from flowwarden.enforcer.state.desired import MANAGED_TAG, DesiredFlowLog, managed_tags
from flowwarden.enforcer.state.inventory import FlowLog, Subnet, Vpc, VpcResources
from flowwarden.enforcer.state.stack import Stack
from flowwarden.errors import (
    CallFailed,
    CallRefused,
    CallThrottled,
    EnforcementError,
    FlowLogExists,
    NotFound,
    VpcGone,
)
from flowwarden.network.interface import NetworkInterface
from flowwarden.policy.flow_logs import SETTINGS
from flowwarden.policy.setting import Setting
from tests.aws.clients import REGION, session

if TYPE_CHECKING:  # importing the stubs takes half a second
    from mypy_boto3_ec2 import EC2Client

GROUP = "/flow-warden/flow-logs"
DESIRED = DesiredFlowLog(
    destination=GROUP,
    delivery_role_arn="arn:aws:iam::123456789012:role/delivery",
    log_format="${version} ${srcaddr} ${dstaddr}",
    tags=managed_tags("flow-warden"),
)
STACK = Stack(
    account_id="123456789012",
    region=REGION,
    stack_name="flow-warden",
    log_group_name=GROUP,
    delivery_role_arn=DESIRED.delivery_role_arn,
    log_format=DESIRED.log_format,
)
TOKEN = "t" * 64
PAGE = {"MaxResults": 1000}


# ---- on moto


def verdict_on(vpc: Vpc, flow_logs: list[FlowLog], seconds_later: int = 3600) -> CoverageVerdict:
    """The verdict on a VPC without interfaces."""
    now = max(each.creation_time or 0 for each in flow_logs) + seconds_later
    parts = VpcResources(flow_logs=tuple(flow_logs))
    return judge(VpcState(vpc=vpc, parts=parts, desired=DESIRED, stack=STACK, at=now))


class Account:
    """An account on moto with the desired log group."""

    def __init__(self) -> None:
        self.client = session().client("ec2")
        self.logs = session().client("logs")
        self.logs.create_log_group(logGroupName=GROUP)
        self.ec2 = Ec2FlowLogs(self.client)

    def vpc(self) -> str:
        """A new VPC's id."""
        return self.client.create_vpc(CidrBlock="10.0.0.0/16")["Vpc"]["VpcId"]

    def create(self, vpc_id: str) -> str:
        """Create the desired flow log and return its id."""
        return self.ec2.create(vpc_id, DESIRED, DESIRED.client_token(vpc_id, "8f6d"))


@pytest.fixture
def account() -> Iterator[Account]:
    """An account on moto."""
    with mock_aws():
        yield Account()


def test_subnets_and_interfaces_get_flow_logs_of_their_own(account: Account) -> None:
    """Each is described as the desired one of this resource."""
    vpc_id = account.vpc()
    subnet = account.client.create_subnet(VpcId=vpc_id, CidrBlock="10.0.0.0/24")["Subnet"]["SubnetId"]
    made = account.client.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    for resource_id in (subnet, made["NetworkInterfaceId"]):
        flow_log_id = account.create(resource_id)
        (flow_log,) = account.ec2.flow_logs([resource_id])
        assert (flow_log.flow_log_id, flow_log.resource_id) == (flow_log_id, resource_id)
        assert is_wanted(flow_log, DESIRED, STACK)


def test_a_created_flow_log_is_the_desired_one(account: Account) -> None:
    """Its description covers the VPC, including format, interval and tags."""
    vpc_id = account.vpc()
    flow_log_id = account.create(vpc_id)
    (flow_log,) = account.ec2.flow_logs([vpc_id])
    assert flow_log == FlowLog(
        flow_log_id=flow_log_id,
        resource_id=vpc_id,
        settings={
            "log_format": "${version} ${srcaddr} ${dstaddr}",
            "traffic_type": "ALL",
            "max_aggregation_interval": 60,
        },
        log_destination_type="cloud-watch-logs",
        log_group_name=GROUP,
        log_destination=flow_log.log_destination,
        delivery_role_arn=DESIRED.delivery_role_arn,
        deliver_logs_status="SUCCESS",
        flow_log_status="ACTIVE",
        creation_time=flow_log.creation_time,
        tags={MANAGED_TAG: "flow-warden", "Name": "flow-warden"},
    )
    (vpc,) = account.ec2.vpcs([vpc_id])
    assert verdict_on(vpc, [flow_log]).coverage is Coverage.COVERED
    assert verdict_on(vpc, [flow_log], seconds_later=60).coverage is Coverage.UNPROVEN


def test_a_flow_log_that_fails_to_deliver_is_read_as_broken(account: Account) -> None:
    """Without its log group, EC2 accepts the flow log, but its description reports the failure."""
    account.logs.delete_log_group(logGroupName=GROUP)
    vpc_id = account.vpc()
    account.create(vpc_id)
    (vpc,) = account.ec2.vpcs([vpc_id])
    recorded = [replace(each, recorded=True) for each in account.ec2.flow_logs([vpc_id])]
    verdict = verdict_on(vpc, recorded)
    assert verdict.coverage is Coverage.BROKEN
    assert "Access error" in verdict.reason


def test_all_vpcs_are_listed_with_owner_and_tags(account: Account) -> None:
    """None requests all VPCs, including the default VPC."""
    vpc_id = account.vpc()
    account.client.create_tags(Resources=[vpc_id], Tags=[{"Key": "Name", "Value": "lab"}])
    found = {vpc.vpc_id: vpc for vpc in account.ec2.vpcs(None)}
    assert found[vpc_id] == Vpc(
        vpc_id=vpc_id, owner_id="123456789012", tags={"Name": "lab"}, cidrs=("10.0.0.0/16",)
    )
    assert len(found) == 2


def test_a_missing_vpc_is_left_out(account: Account) -> None:
    """A deleted VPC does not hide the others; an empty list does not request all VPCs."""
    vpc_id = account.vpc()
    assert [vpc.vpc_id for vpc in account.ec2.vpcs([vpc_id, "vpc-0dead"])] == [vpc_id]
    assert list(account.ec2.vpcs([])) == []
    assert list(account.ec2.flow_logs([])) == []


def test_flow_logs_of_other_vpcs_are_left_out(account: Account) -> None:
    """The filter selects the resource."""
    one, two = account.vpc(), account.vpc()
    account.create(one)
    assert [each.resource_id for each in account.ec2.flow_logs([one, two])] == [one]
    assert list(account.ec2.flow_logs([two])) == []


def test_a_second_creation_raises_flow_log_exists(account: Account) -> None:
    """EC2 rejects a second flow log with the same destination."""
    vpc_id = account.vpc()
    account.create(vpc_id)
    with pytest.raises(FlowLogExists):
        account.create(vpc_id)


def test_creation_in_a_deleted_vpc_raises_vpc_gone(account: Account) -> None:
    """It has its own error class, because a VPC deleted in the meantime is not a failure."""
    with pytest.raises(VpcGone):
        account.create("vpc-0123456789abcdef0")


# ---- with botocore's Stubber


@pytest.fixture(scope="module")
def client() -> EC2Client:
    """One client for all stubs: creating a client takes almost a second."""
    return session().client("ec2")


@pytest.fixture
def stub(client: EC2Client) -> Iterator[Stubber]:
    """A client without a network: it returns the test's responses in order, and checks every call."""
    with Stubber(client) as stubber:
        yield stubber


def ec2(stub: Stubber) -> Ec2FlowLogs:
    """The adapter on a stubbed client."""
    return Ec2FlowLogs(stub.client)  # type: ignore[arg-type]  # the stubs lack the client's type


def unsuccessful(code: str, message: str = "") -> dict[str, Any]:
    """A CreateFlowLogs error inside a 200 response."""
    item = {"ResourceId": "vpc-1", "Error": {"Code": code, "Message": message}}
    return {"FlowLogIds": [], "Unsuccessful": [item]}


def test_creation_passes_all_desired_settings(stub: Stubber) -> None:
    """One VPC, all traffic, the configured format, 60 seconds, tags, and the token."""
    stub.add_response(
        "create_flow_logs",
        {"FlowLogIds": ["fl-1"], "Unsuccessful": []},
        {
            "ResourceIds": ["vpc-1"],
            "ResourceType": "VPC",
            "TrafficType": "ALL",
            "LogDestinationType": "cloud-watch-logs",
            "LogGroupName": GROUP,
            "DeliverLogsPermissionArn": "arn:aws:iam::123456789012:role/delivery",
            "LogFormat": "${version} ${srcaddr} ${dstaddr}",
            "MaxAggregationInterval": 60,
            "TagSpecifications": [
                {
                    "ResourceType": "vpc-flow-log",
                    "Tags": [
                        {"Key": MANAGED_TAG, "Value": "flow-warden"},
                        {"Key": "Name", "Value": "flow-warden"},
                    ],
                }
            ],
            "ClientToken": TOKEN,
        },
    )
    assert ec2(stub).create("vpc-1", DESIRED, TOKEN) == "fl-1"


@pytest.mark.parametrize(
    ("resource_id", "resource_type"),
    [("vpc-1", "VPC"), ("subnet-1", "Subnet"), ("eni-1", "NetworkInterface")],
)
def test_creation_names_the_type_of_the_resource(stub: Stubber, resource_id: str, resource_type: str) -> None:
    """EC2 requires it beside the id."""
    named = {"ResourceIds": [resource_id], "ResourceType": resource_type}
    others = dict.fromkeys(
        (
            *("TrafficType", "LogDestinationType", "LogGroupName", "DeliverLogsPermissionArn", "LogFormat"),
            *("MaxAggregationInterval", "TagSpecifications", "ClientToken"),
        ),
        ANY,
    )
    stub.add_response("create_flow_logs", {"FlowLogIds": ["fl-1"], "Unsuccessful": []}, named | others)
    assert ec2(stub).create(resource_id, DESIRED, TOKEN) == "fl-1"


CASES: list[tuple[str, str, type[EnforcementError]]] = [
    ("InvalidSubnetID.NotFound", "The subnet ID 'subnet-1' does not exist", VpcGone),
    ("InvalidNetworkInterfaceID.NotFound", "The networkInterface ID 'eni-1' does not exist", VpcGone),
    ("FlowLogAlreadyExists", "There is an existing Flow Log", FlowLogExists),
    ("InvalidVpcID.NotFound", "The vpc ID 'vpc-1' does not exist", VpcGone),
    ("InvalidVpcId.NotFound", "The vpc ID 'vpc-1' does not exist", VpcGone),
    ("RequestLimitExceeded", "Request limit exceeded.", CallFailed),
    ("Unavailable", "The service is unavailable.", CallFailed),
    ("InvalidParameter", "Unable to assume given IAM role", CallFailed),
    ("InvalidParameter", "LogFormat is not valid", CallRefused),
    ("UnauthorizedOperation", "You are not authorized", CallRefused),
    ("FlowLogsLimitExceeded", "The maximum number of flow logs has been reached", CallRefused),
    ("FlowLogLimitExceeded", "The maximum number of flow logs has been reached", CallRefused),
    ("LogDestinationNotFoundException", "LogDestination does not exist", CallRefused),
    ("IdempotentParameterMismatch", "Parameters differ", CallRefused),
    ("400", "LogDestination: b does not exist.", CallRefused),
]


@pytest.mark.parametrize(("code", "message", "error"), CASES)
def test_a_refusal_inside_a_200_is_an_error(
    stub: Stubber, code: str, message: str, error: type[EnforcementError]
) -> None:
    """Botocore raises nothing for an `Unsuccessful` item; it must not count as success."""
    stub.add_response("create_flow_logs", unsuccessful(code, message))
    with pytest.raises(error, match=code) as raised:
        ec2(stub).create("vpc-1", DESIRED, TOKEN)
    assert message in str(raised.value)


@pytest.mark.parametrize(("code", "message", "error"), CASES)
def test_the_same_refusal_as_an_exception_is_the_same_error(
    stub: Stubber, code: str, message: str, error: type[EnforcementError]
) -> None:
    """The same function classifies both forms."""
    stub.add_client_error("create_flow_logs", code, message, http_status_code=400)
    with pytest.raises(error, match=code) as raised:
        ec2(stub).create("vpc-1", DESIRED, TOKEN)
    assert message in str(raised.value)


def test_a_server_error_of_any_code_is_transient(stub: Stubber) -> None:
    """A 5xx is a failure of EC2."""
    stub.add_client_error("create_flow_logs", "Strange", "?", http_status_code=503)
    with pytest.raises(CallFailed):
        ec2(stub).create("vpc-1", DESIRED, TOKEN)


def test_an_answer_without_a_flow_log_is_not_a_success(stub: Stubber) -> None:
    """Neither an id nor an error: the result is unknown, so a retry is allowed."""
    stub.add_response("create_flow_logs", {"FlowLogIds": [], "Unsuccessful": []})
    with pytest.raises(CallFailed):
        ec2(stub).create("vpc-1", DESIRED, TOKEN)


@pytest.mark.parametrize(
    ("call", "method"), [("DescribeVpcs", "describe_vpcs"), ("DescribeFlowLogs", "describe_flow_logs")]
)
@pytest.mark.parametrize(
    ("code", "error"), [("RequestLimitExceeded", CallFailed), ("UnauthorizedOperation", CallRefused)]
)
def test_describe_calls_fail_in_the_same_ways(
    stub: Stubber, call: str, method: str, code: str, error: type[EnforcementError]
) -> None:
    """The error names the failed call."""
    stub.add_client_error(method, code, "no")
    look = ec2(stub).vpcs if call == "DescribeVpcs" else ec2(stub).flow_logs
    with pytest.raises(error, match=call):
        list(look(["vpc-1"]))


def test_pages_are_followed(stub: Stubber) -> None:
    """Every page requests the same VPCs."""
    vpcs = {"Filters": [{"Name": "vpc-id", "Values": ["vpc-1", "vpc-2"]}], **PAGE}
    owner = {"OwnerId": "123456789012"}
    stub.add_response("describe_vpcs", {"Vpcs": [{"VpcId": "vpc-1", **owner}], "NextToken": "more"}, vpcs)
    stub.add_response("describe_vpcs", {"Vpcs": [{"VpcId": "vpc-2", **owner}]}, {**vpcs, "NextToken": "more"})
    assert [vpc.vpc_id for vpc in ec2(stub).vpcs(["vpc-1", "vpc-2"])] == ["vpc-1", "vpc-2"]
    logs = {"Filters": [{"Name": "resource-id", "Values": ["vpc-1"]}], **PAGE}
    one, two = ({"FlowLogId": name, "ResourceId": "vpc-1"} for name in ("fl-1", "fl-2"))
    stub.add_response("describe_flow_logs", {"FlowLogs": [one], "NextToken": "more"}, logs)
    stub.add_response("describe_flow_logs", {"FlowLogs": [two]}, {**logs, "NextToken": "more"})
    assert [each.flow_log_id for each in ec2(stub).flow_logs(["vpc-1"])] == ["fl-1", "fl-2"]
    stub.assert_no_pending_responses()


def test_all_vpcs_are_requested_without_a_filter(stub: Stubber) -> None:
    """Pagination works in a sweep, too."""
    one, two = ({"VpcId": name, "OwnerId": "123456789012"} for name in ("vpc-1", "vpc-2"))
    stub.add_response("describe_vpcs", {"Vpcs": [one], "NextToken": "more"}, PAGE)
    stub.add_response("describe_vpcs", {"Vpcs": [two]}, {"NextToken": "more", **PAGE})
    assert [vpc.vpc_id for vpc in ec2(stub).vpcs(None)] == ["vpc-1", "vpc-2"]


def test_a_failure_on_a_later_page_keeps_the_first_page(stub: Stubber) -> None:
    """The listed items are yielded before the error."""
    stub.add_response(
        "describe_vpcs", {"Vpcs": [{"VpcId": "vpc-1", "OwnerId": "123456789012"}], "NextToken": "more"}
    )
    stub.add_client_error("describe_vpcs", "RequestLimitExceeded", "no")
    listing = iter(ec2(stub).vpcs(None))
    assert next(listing).vpc_id == "vpc-1"
    with pytest.raises(CallFailed):
        next(listing)


def test_many_vpcs_are_requested_in_batches(stub: Stubber) -> None:
    """A filter accepts 200 values."""
    ids = [f"vpc-{number}" for number in range(VALUES_PER_FILTER + 1)]
    for lot in (ids[:VALUES_PER_FILTER], ids[VALUES_PER_FILTER:]):
        asked = {"Filters": [{"Name": "vpc-id", "Values": lot}], **PAGE}
        stub.add_response("describe_vpcs", {"Vpcs": []}, asked)
    assert list(ec2(stub).vpcs(ids)) == []
    for lot in (ids[:VALUES_PER_FILTER], ids[VALUES_PER_FILTER:]):
        asked = {"Filters": [{"Name": "resource-id", "Values": lot}], **PAGE}
        stub.add_response("describe_flow_logs", {"FlowLogs": []}, asked)
    assert list(ec2(stub).flow_logs(ids)) == []
    stub.assert_no_pending_responses()


def test_creation_time_is_read_as_unix_seconds(stub: Stubber) -> None:
    """Fractions of a second are dropped."""
    created = datetime(2026, 11, 2, 9, 30, 0, 600_000, tzinfo=UTC)
    described = {"FlowLogId": "fl-1", "ResourceId": "vpc-1", "CreationTime": created}
    stub.add_response("describe_flow_logs", {"FlowLogs": [described]})
    assert [each.creation_time for each in ec2(stub).flow_logs(["vpc-1"])] == [1_793_611_800]


def test_a_minimal_description_leaves_members_unknown(stub: Stubber) -> None:
    """Members that DescribeFlowLogs does not return are None, which is not drift."""
    stub.add_response("describe_flow_logs", {"FlowLogs": [{"FlowLogId": "fl-1", "ResourceId": "vpc-1"}]})
    assert list(ec2(stub).flow_logs(["vpc-1"])) == [FlowLog(flow_log_id="fl-1", resource_id="vpc-1")]


class Unreachable:
    """A client whose every call raises the same error below the EC2 API."""

    def __init__(self, error: Exception) -> None:
        self.error = error

    def create_flow_logs(self, **_call: object) -> None:
        """Fail."""
        raise self.error


@pytest.mark.parametrize(
    ("fault", "error"),
    [
        (EndpointConnectionError(endpoint_url="https://ec2"), CallFailed),
        (ConnectTimeoutError(endpoint_url="https://ec2"), CallFailed),
        (ReadTimeoutError(endpoint_url="https://ec2"), CallFailed),
        (NoCredentialsError(), CallRefused),
    ],
)
def test_a_connection_error_is_transient_and_missing_credentials_are_not(
    fault: Exception, error: type[EnforcementError]
) -> None:
    """Only a retry after a connection error can succeed."""
    with pytest.raises(error):
        Ec2FlowLogs(Unreachable(fault)).create("vpc-1", DESIRED, TOKEN)  # type: ignore[arg-type]  # a fake


def test_a_real_client_raises_call_failed() -> None:
    """After botocore's own attempts, a refused connection is a transient error."""
    client = boto3.Session().client(
        "ec2",
        region_name=REGION,
        endpoint_url="http://127.0.0.1:1",
        aws_access_key_id="testing",
        aws_secret_access_key="testing",  # noqa: S106  not a real secret
        config=Config(retries={"mode": "standard", "total_max_attempts": 1}),
    )
    with pytest.raises(CallFailed):
        Ec2FlowLogs(client).create("vpc-1", DESIRED, TOKEN)


@pytest.mark.parametrize("code", sorted(HINTS))
def test_the_recommended_action_precedes_the_message_of_ec2(code: str) -> None:
    """EC2's message may contain a thousand encoded characters, and a receiver may truncate the end."""
    error = classify("CreateFlowLogs", code, "x" * 2000)
    assert isinstance(error, CallRefused)
    assert str(error).index(HINTS[code]) < str(error).index("xxx")


@pytest.mark.parametrize("code", sorted(THROTTLED))
def test_throttling_is_recognized(code: str) -> None:
    """The caller waits and retries."""
    assert isinstance(classify("DescribeVpcs", code, ""), CallThrottled)


def test_interfaces_and_subnets_are_listed(account: Account) -> None:
    """An interface that is not in use is not active."""
    vpc_id = account.vpc()
    subnet = account.client.create_subnet(VpcId=vpc_id, CidrBlock="10.0.1.0/24")["Subnet"]["SubnetId"]
    made = account.client.create_network_interface(SubnetId=subnet)["NetworkInterface"]
    assert list(account.ec2.subnets([vpc_id])) == [Subnet(subnet_id=subnet, vpc_id=vpc_id)]
    assert list(account.ec2.interfaces([vpc_id])) == [
        NetworkInterface(
            interface_id=made["NetworkInterfaceId"],
            vpc_id=vpc_id,
            subnet_id=subnet,
            addresses=(made["PrivateIpAddress"],),
            security_groups=tuple(each["GroupId"] for each in made["Groups"]),
            group_names=tuple(each["GroupName"] for each in made["Groups"]),
            managed=made["RequesterManaged"],
            active=False,
        )
    ]


def test_an_interface_has_its_instance_and_the_time_of_attachment(stub: Stubber) -> None:
    """An interface attached to an AWS service has no instance."""
    moment = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    own = {"AttachTime": moment, "InstanceId": "i-1", "InstanceOwnerId": "123456789012"}
    other_owner = {"AttachTime": moment, "InstanceOwnerId": "amazon-aws"}
    cards = [
        {"NetworkInterfaceId": f"eni-{number}", "VpcId": "vpc-1", "Status": "in-use", "Attachment": each}
        for number, each in enumerate((own, other_owner))
    ]
    stub.add_response("describe_network_interfaces", {"NetworkInterfaces": cards})
    assert list(ec2(stub).interfaces(None)) == [
        NetworkInterface(
            interface_id="eni-0",
            vpc_id="vpc-1",
            since=1_793_611_800,
            instance_id="i-1",
            instance_owner="123456789012",
        ),
        NetworkInterface(
            interface_id="eni-1", vpc_id="vpc-1", since=1_793_611_800, instance_owner="amazon-aws"
        ),
    ]


def test_only_running_instances_are_requested_and_pages_are_followed(stub: Stubber) -> None:
    """All of them, or the named ones."""
    moment = datetime(2026, 11, 2, 9, 30, tzinfo=UTC)
    one = [{"Instances": [{"InstanceId": "i-1", "LaunchTime": moment}, {"InstanceId": "i-2"}]}]
    two = [{"Instances": [{"InstanceId": "i-3"}]}]
    state = {"Name": "instance-state-name", "Values": ["pending", "running"]}
    unfiltered = {"Filters": [state], **PAGE}
    stub.add_response("describe_instances", {"Reservations": one, "NextToken": "more"}, unfiltered)
    stub.add_response("describe_instances", {"Reservations": two}, {"NextToken": "more", **unfiltered})
    assert list(ec2(stub).running(None)) == [("i-1", 1_793_611_800), ("i-2", None), ("i-3", None)]
    named = {"Filters": [{"Name": "instance-id", "Values": ["i-3"]}, state], **PAGE}
    stub.add_response("describe_instances", {"Reservations": two}, named)
    assert list(ec2(stub).running(["i-3"])) == [("i-3", None)]
    assert list(ec2(stub).running([])) == []
    stub.add_client_error("describe_instances", "UnauthorizedOperation", "no")
    with pytest.raises(CallRefused, match="DescribeInstances"):
        list(ec2(stub).running(None))


@pytest.mark.parametrize(
    ("call", "member", "sound", "lacking", "reason"),
    [
        ("vpcs", "Vpcs", {"VpcId": "vpc-1"}, {"OwnerId": "1"}, "an item without an id (VpcId is missing)"),
        (
            "flow_logs",
            "FlowLogs",
            {"FlowLogId": "fl-1", "ResourceId": "vpc-1"},
            {"FlowLogId": "fl-2"},
            "fl-2 (ResourceId is missing)",
        ),
        (
            "flow_logs",
            "FlowLogs",
            {"FlowLogId": "fl-1", "ResourceId": "vpc-1"},
            {"ResourceId": "vpc-2"},
            "vpc-2 (FlowLogId is missing)",
        ),
        (
            "interfaces",
            "NetworkInterfaces",
            {"NetworkInterfaceId": "eni-1"},
            {"VpcId": "vpc-2"},
            "vpc-2 (NetworkInterfaceId is missing)",
        ),
        (
            "subnets",
            "Subnets",
            {"SubnetId": "subnet-1", "VpcId": "vpc-1"},
            {"SubnetId": "subnet-2"},
            "subnet-2 (VpcId is missing)",
        ),
        (
            "running",
            "Reservations",
            {"Instances": [{"InstanceId": "i-1"}]},
            {"ReservationId": "r-1", "Instances": [{}]},
            "r-1 (Instances[0].InstanceId is missing)",
        ),
    ],
)
def test_only_an_unreadable_description_is_skipped_and_reported(
    stub: Stubber, call: str, member: str, sound: dict[str, Any], lacking: dict[str, Any], reason: str
) -> None:
    """Descriptions before and after it are read; it is reported once."""
    asked = {"interfaces": "describe_network_interfaces", "running": "describe_instances"}
    stub.add_response(asked.get(call, f"describe_{call}"), {member: [lacking, sound, lacking]})
    adapter = ec2(stub)
    assert len(list(getattr(adapter, call)(None))) == 1
    assert [each.what for each in adapter.unread()] == [reason]
    assert adapter.unread() == []


def test_a_missing_owner_or_tag_value_is_empty(stub: Stubber) -> None:
    """The VPC is still read; a tag without a key is ignored."""
    described: Any = {"VpcId": "vpc-1", "Tags": [{"Key": "lab"}, {"Value": "x"}]}
    stub.add_response("describe_vpcs", {"Vpcs": [described]})
    adapter = ec2(stub)
    assert list(adapter.vpcs(None)) == [Vpc(vpc_id="vpc-1", owner_id="", tags={"lab": ""})]
    assert adapter.unread() == []


def test_a_page_without_its_list_is_an_error(stub: Stubber) -> None:
    """As an empty page it would make every VPC look uncovered."""
    stub.add_response("describe_flow_logs", {})
    with pytest.raises(CallFailed, match="DescribeFlowLogs: the response has no FlowLogs"):
        list(ec2(stub).flow_logs(None))


def test_deleting_a_deleted_flow_log_is_not_an_error(account: Account) -> None:
    """The first call deletes, the second one does nothing."""
    vpc_id = account.vpc()
    flow_log_id = account.create(vpc_id)
    for _ in range(2):
        account.ec2.delete(flow_log_id)
    assert list(account.ec2.flow_logs([vpc_id])) == []


@pytest.mark.parametrize(
    ("code", "error"), [("InvalidFlowLogId.NotFound", None), ("UnauthorizedOperation", CallRefused)]
)
def test_a_deletion_refused_inside_a_200_is_an_error_unless_the_flow_log_is_gone(
    stub: Stubber, code: str, error: type[EnforcementError] | None
) -> None:
    """Not found counts as deleted; anything else is an error."""
    item = {"ResourceId": "fl-1", "Error": {"Code": code, "Message": "no"}}
    stub.add_response("delete_flow_logs", {"Unsuccessful": [item]}, {"FlowLogIds": ["fl-1"]})
    if error is None:
        ec2(stub).delete("fl-1")
    else:
        with pytest.raises(error):
            ec2(stub).delete("fl-1")


def test_a_flow_log_to_s3_has_partitions_and_no_role(stub: Stubber) -> None:
    """The parameters of CreateFlowLogs for a bucket."""
    desired = DesiredFlowLog(
        destination="arn:aws:s3:::bucket/folder/",
        destination_type="s3",
        log_format="${version}",
        file_format="parquet",
        hive_compatible_partitions=True,
        per_hour_partition=True,
    )
    stub.add_response(
        "create_flow_logs",
        {"FlowLogIds": ["fl-1"]},
        {
            "ResourceIds": ["vpc-1"],
            "ResourceType": "VPC",
            "TrafficType": "ALL",
            "LogDestinationType": "s3",
            "LogDestination": "arn:aws:s3:::bucket/folder/",
            "LogFormat": "${version}",
            "MaxAggregationInterval": 60,
            "DestinationOptions": {
                "FileFormat": "parquet",
                "HiveCompatiblePartitions": True,
                "PerHourPartition": True,
            },
            "TagSpecifications": [{"ResourceType": "vpc-flow-log", "Tags": []}],
            "ClientToken": TOKEN,
        },
    )
    assert ec2(stub).create("vpc-1", desired, TOKEN) == "fl-1"


TAGGED = replace(DESIRED, log_format="${version} ${instance-tag}", tag_fields={"instance": ("Name",)})
"""A flow log whose records contain a tag."""


def test_tag_fields_are_requested_with_their_keys(stub: Stubber) -> None:
    """The installed SDK knows the parameter, and validates it."""
    asked = {
        "ResourceIds": ["vpc-1"],
        "ResourceType": "VPC",
        "LogFormat": "${version} ${instance-tag}",
        "TagFieldSpecifications": [{"ResourceType": "instance", "TagKeys": ["Name"]}],
        **dict.fromkeys(("TrafficType", "MaxAggregationInterval", "TagSpecifications", "ClientToken"), ANY),
        **dict.fromkeys(("LogDestinationType", "LogGroupName", "DeliverLogsPermissionArn"), ANY),
    }
    stub.add_response("create_flow_logs", {"FlowLogIds": ["fl-1"]}, asked)
    assert ec2(stub).create("vpc-1", TAGGED, TOKEN) == "fl-1"


@pytest.mark.parametrize("other", [("team",), ("Name", "team"), ()])
def test_tag_fields_read_back_as_requested_and_other_keys_are_drift(
    stub: Stubber, other: tuple[str, ...]
) -> None:
    """A description without them, as returned by an older SDK, is not drift."""
    keys = [[{"ResourceType": "instance", "TagKeys": list(each)}] for each in (("Name",), other) if each]
    described = [{"TagFieldSpecifications": each} for each in keys] + [{}] * (2 - len(keys))
    members = {"ResourceId": "vpc-1", "LogFormat": TAGGED.log_format, "LogGroupName": GROUP}
    answer = [{"FlowLogId": "fl", **members, **each} for each in described]
    stub.add_response("describe_flow_logs", {"FlowLogs": answer})
    same, changed = ec2(stub).flow_logs(["vpc-1"])
    assert same.settings["tag_fields"] == {"instance": ("Name",)}
    assert list(differences(same, TAGGED, STACK)) == []
    assert list(differences(changed, TAGGED, STACK)) == (["different choice of tag fields"] if other else [])


class OlderClient:
    """A client of an SDK that lacks some parameters of CreateFlowLogs, or an operation."""

    def __init__(self, client: EC2Client, *, without: str = "", operation: str = "") -> None:
        model: Any = client.meta.service_model
        shape = model.operation_model("CreateFlowLogs").input_shape
        members = {name: member for name, member in shape.members.items() if name != without}
        known = SimpleNamespace(input_shape=SimpleNamespace(members=members))
        names = [name for name in model.operation_names if name != operation]
        asks = SimpleNamespace(operation_names=names, operation_model={"CreateFlowLogs": known}.__getitem__)
        self.meta = SimpleNamespace(service_model=asks)
        self.asked: list[dict[str, Any]] = []

    def create_flow_logs(self, **asked: Any) -> dict[str, Any]:
        """Record the call and accept it."""
        self.asked.append(asked)
        return {"FlowLogIds": ["fl-1"]}


def test_a_parameter_unknown_to_the_sdk_is_refused_before_the_call(client: EC2Client) -> None:
    """Only for flow logs that need it; the message names it and the recommended action."""
    older = OlderClient(client, without="TagFieldSpecifications")
    adapter = Ec2FlowLogs(older)  # type: ignore[arg-type]  # a fake
    with pytest.raises(CallRefused, match=r"TagFieldSpecifications: not available in this runtime") as raised:
        adapter.create("vpc-1", TAGGED, TOKEN)
    assert "June 2026" in str(raised.value)
    assert older.asked == []
    assert adapter.create("vpc-2", DESIRED, TOKEN) == "fl-1"
    assert "TagFieldSpecifications" not in older.asked[0]


def test_a_parameter_known_to_the_sdk_is_passed(client: EC2Client) -> None:
    """The fake differs in nothing else."""
    newer = OlderClient(client)
    assert Ec2FlowLogs(newer).create("vpc-1", TAGGED, TOKEN) == "fl-1"  # type: ignore[arg-type]  # a fake
    assert newer.asked[0]["TagFieldSpecifications"] == [{"ResourceType": "instance", "TagKeys": ["Name"]}]


def test_an_operation_unknown_to_the_sdk_is_refused(client: EC2Client) -> None:
    """Like a parameter."""
    older = OlderClient(client, operation="CreateFlowLogs")
    with pytest.raises(CallRefused, match="CreateFlowLogs: not available in this runtime"):
        Ec2FlowLogs(older).create("vpc-1", TAGGED, TOKEN)  # type: ignore[arg-type]  # a fake


@pytest.mark.parametrize(
    "setting", [each for each in SETTINGS if not each.new_since], ids=lambda each: each.name
)
def test_the_sdk_has_every_setting_not_marked_as_new(client: EC2Client, setting: Setting) -> None:
    """In the call and in the description, inside the structure named by the setting."""
    model: Any = client.meta.service_model
    asked = model.operation_model("CreateFlowLogs").input_shape
    described = model.operation_model("DescribeFlowLogs").output_shape.members["FlowLogs"].member
    for shape in (asked, described):
        holder = shape.members[setting.inside] if setting.inside else shape
        assert setting.parameter in holder.members


@pytest.mark.parametrize("code", sorted(PASSING))
def test_throttling_and_outages_are_transient(code: str) -> None:
    """A retry may succeed after every code of the table."""
    assert isinstance(classify("DescribeVpcs", code, ""), CallFailed)


def test_many_flow_logs_are_tagged_in_few_calls(stub: Stubber) -> None:
    """Each call has a maximum; the error of one call is raised."""
    tags = [{"Key": "owner", "Value": "network"}]
    names = [f"fl-{number}" for number in range(TAGS_PER_CALL + 1)]
    stub.add_response("create_tags", {}, {"Resources": names[:-1], "Tags": tags})
    stub.add_response("create_tags", {}, {"Resources": names[-1:], "Tags": tags})
    ec2(stub).tag(names, {"owner": "network"})
    for code, error in (("InvalidFlowLogId.NotFound", NotFound), ("TagLimitExceeded", CallRefused)):
        stub.add_client_error("create_tags", code, "no", http_status_code=400)
        with pytest.raises(error, match=code):
            ec2(stub).tag(["fl-1"], {"owner": "network"})
