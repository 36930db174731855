"""Transit gateways and their flow logs: on moto, and with botocore's Stubber what moto does not check."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from botocore.stub import ANY, Stubber
from moto import mock_aws
from msgspec.structs import replace

from flowwarden.aws.ec2.flow_logs import Ec2FlowLogs
from flowwarden.enforcer.decide.coverage import Coverage, judge
from flowwarden.enforcer.decide.drift import is_wanted
from flowwarden.enforcer.decide.vpc_state import VpcState
from flowwarden.enforcer.state.desired import resolved
from flowwarden.enforcer.state.inventory import Vpc, VpcResources
from flowwarden.enforcer.state.stack import Stack
from flowwarden.errors import CallRefused, VpcGone
from flowwarden.policy.flow_logs import FlowLogsPolicy
from flowwarden.policy.transit_gateways import LOG_FORMAT, SUFFIX, GatewaySelection, TransitGateways
from tests.aws.clients import REGION, client

ACCOUNT = "123456789012"
STACK = Stack(
    account_id=ACCOUNT,
    region=REGION,
    stack_name="flow-warden",
    log_group_name="/flow-warden/flow-logs",
    delivery_role_arn=f"arn:aws:iam::{ACCOUNT}:role/delivery",
    log_format="${version} ${srcaddr} ${dstaddr}",
)
POLICY = FlowLogsPolicy(transit_gateways=TransitGateways(where=(GatewaySelection(),)))
DESIRED = resolved(POLICY.gateway_spec, STACK)
GATEWAY = "tgw-0a1b2c3d"


@pytest.fixture
def stub() -> Iterator[Stubber]:
    """A client whose calls must be these."""
    with Stubber(client("ec2")) as stubber:
        yield stubber
        stubber.assert_no_pending_responses()


def ec2_on(stub: Stubber) -> Ec2FlowLogs:
    """The adapter on a stubbed client."""
    return Ec2FlowLogs(stub.client)  # type: ignore[arg-type]  # the stubs lack the client's type


def test_a_flow_log_of_a_gateway_is_created_and_judged_by_its_status() -> None:
    """As moto describes it: without traffic type. The status counts once it has lasted."""
    with mock_aws():
        client("logs").create_log_group(logGroupName=DESIRED.destination)
        made = client("ec2").create_transit_gateway(
            TagSpecifications=[{"ResourceType": "transit-gateway", "Tags": [{"Key": "env", "Value": "prod"}]}]
        )
        gateway_id = made["TransitGateway"]["TransitGatewayId"]
        ec2 = Ec2FlowLogs(client("ec2"))
        (gateway,) = ec2.transit_gateways(None)
        assert gateway == Vpc(vpc_id=gateway_id, owner_id=ACCOUNT, tags={"env": "prod"})
        assert list(ec2.transit_gateways([gateway_id, "tgw-0dead"])) == [gateway]
        assert list(ec2.transit_gateways([])) == []
        flow_log_id = ec2.create(gateway_id, DESIRED, "token")
        (flow_log,) = ec2.flow_logs([gateway_id])
    assert (flow_log.flow_log_id, flow_log.traffic_type) == (flow_log_id, None)
    assert (flow_log.log_format, flow_log.log_group_name) == (LOG_FORMAT, f"{STACK.log_group_name}-{SUFFIX}")
    assert is_wanted(flow_log, DESIRED, STACK)
    born = flow_log.creation_time or 0
    parts = VpcResources(flow_logs=(replace(flow_log, recorded=True),))
    state = VpcState(vpc=gateway, parts=parts, desired=DESIRED, stack=STACK, at=born + 3600)
    assert judge(state).coverage is Coverage.COVERED
    assert judge(replace(state, at=born + 60)).coverage is Coverage.UNPROVEN
    failed = replace(flow_log, recorded=True, deliver_logs_status="FAILED")
    broken = judge(replace(state, parts=VpcResources(flow_logs=(failed,))))
    assert broken.coverage is Coverage.BROKEN


def test_a_creation_names_the_type_and_no_traffic_type(stub: Stubber) -> None:
    """EC2 refuses a traffic type for a transit gateway, and another interval than 60 s."""
    expected = {
        "ResourceIds": [GATEWAY],
        "ResourceType": "TransitGateway",
        "LogFormat": LOG_FORMAT,
        "MaxAggregationInterval": 60,
        "LogDestinationType": "cloud-watch-logs",
        "LogGroupName": DESIRED.destination,
        "DeliverLogsPermissionArn": DESIRED.delivery_role_arn,
        "TagSpecifications": ANY,
        "ClientToken": "token",
    }
    stub.add_response("create_flow_logs", {"FlowLogIds": ["fl-1"], "Unsuccessful": []}, expected)
    assert ec2_on(stub).create(GATEWAY, DESIRED, "token") == "fl-1"


def test_a_gateway_that_is_gone_and_one_of_others_are_told_from_a_failure(stub: Stubber) -> None:
    """A refusal inside a 200 is read like an exception."""
    for code, error in (
        ("InvalidTransitGatewayID.NotFound", VpcGone),
        ("UnauthorizedOperation", CallRefused),
    ):
        item = {"ResourceId": GATEWAY, "Error": {"Code": code, "Message": "no"}}
        stub.add_response("create_flow_logs", {"FlowLogIds": [], "Unsuccessful": [item]})
        with pytest.raises(error):
            ec2_on(stub).create(GATEWAY, DESIRED, "token")


def test_deleted_gateways_are_left_out_and_an_item_without_an_id_is_reported(stub: Stubber) -> None:
    """EC2 lists a deleted gateway for some time."""
    states = ("pending", "available", "modifying", "deleting", "deleted")
    listed = [{"TransitGatewayId": f"tgw-{each}", "State": each, "OwnerId": ACCOUNT} for each in states]
    stub.add_response("describe_transit_gateways", {"TransitGateways": [*listed, {"State": "available"}]})
    ec2 = ec2_on(stub)
    assert [each.vpc_id for each in ec2.transit_gateways(None)] == [f"tgw-{each}" for each in states[:3]]
    (unread,) = ec2.unread()
    assert unread.call == "DescribeTransitGateways"
